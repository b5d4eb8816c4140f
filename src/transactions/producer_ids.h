// Producer ids for idempotent producers: one broker's stock of them, and the answer to InitProducerId.
//
// The controller hands out blocks of a thousand (AllocateProducerIds) and writes how far it got as a ProducerIdsRecord,
// so an id is never given twice, whoever crashes. A broker gives the ids of its block out one by one and asks for the
// next block when nine tenths are gone. One of these for each broker, used from one thread; it sends nothing itself and
// reads no clock. Ids of a block that is left when the broker stops are lost, as in Kafka.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "protocol/error_code.h"
#include "protocol/messages/allocate_producer_ids_response.h"
#include "protocol/messages/init_producer_id_request.h"
#include "protocol/messages/init_producer_id_response.h"

namespace moldau::transactions {

class ProducerIds {
 public:
  // The next id; null when the block is used up and the next has not come: clients are told to try again.
  [[nodiscard]] std::optional<ProducerId> take();
  // Whether to send AllocateProducerIds now. True once: then report its outcome to on_block().
  [[nodiscard]] bool should_request_block(int64_t now_ms);
  // The controller's answer. A block that is no good counts as a refusal: the next request waits 50 ms.
  void on_block(const protocol::AllocateProducerIdsResponse& response, int64_t now_ms);
  // No answer came in time: ask again at once.
  void on_block_timed_out() { is_requested_ = false; }

 private:
  struct Block {
    int64_t first = 0;
    int64_t size = 0;
    int64_t given = 0;
  };

  Block current_{};
  std::optional<Block> next_;
  bool is_requested_ = false;
  int64_t retry_at_ms_ = 0;
};

// Answers a request without transactional id; with one, while there is no transaction coordinator, UNSUPPORTED_VERSION.
// Check `ids.should_request_block()` afterwards.
[[nodiscard]] protocol::InitProducerIdResponse init_producer_id(const protocol::InitProducerIdRequest& request,
                                                                ProducerIds& ids);

}  // namespace moldau::transactions
