// Fetch sessions (KIP-227): what a client last asked for, so that it need only send and receive what changed.
//
// One cache a shard, for the connections of that shard. A session that the cache does not know is an answer that every
// client survives (FETCH_SESSION_ID_NOT_FOUND: it sends a full fetch again). Nothing here touches a log: `open` says
// which partitions a request means, `FetchContext::include` which of the answers the client must see.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/uuid.h"
#include "protocol/error_code.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"

namespace moldau::broker {

// One partition that a fetch means. `topic` is empty where a request by id names an id only.
struct FetchItem {
  std::string topic;
  Uuid topic_id;
  int32_t partition = 0;
  int32_t current_leader_epoch = -1;
  int64_t fetch_offset = 0;
  int32_t last_fetched_epoch = -1;
  int64_t log_start_offset = -1;  // of a follower; -1 from consumers
  int32_t max_bytes = 0;

  // What the client was told last; -1 makes the next answer include the partition.
  int64_t told_high_watermark = -1;
  int64_t told_log_start_offset = -1;
};

struct FetchSession {
  int32_t id = 0;
  int32_t next_epoch = 1;
  bool by_topic_id = false;
  bool privileged = false;  // a follower's
  int64_t created_us = 0;
  int64_t last_used_us = 0;
  std::shared_ptr<bool> lease = std::make_shared<bool>();  // also held by the context that is being answered
  std::list<FetchItem> items;  // in the order in which they are served: who got records moves to the end
  std::unordered_map<std::string, std::list<FetchItem>::iterator> by_key;
};

class FetchSessionCache;

// How one request is to be answered.
struct FetchContext {
  enum class Kind : uint8_t { sessionless, full, incremental };

  Kind kind = Kind::sessionless;
  protocol::ErrorCode error = protocol::ErrorCode::none;  // then there is nothing to fetch
  int32_t session_id = 0;                                  // for the answer
  std::shared_ptr<FetchSession> session;                   // null without one
  std::shared_ptr<bool> lease;                             // of the session
  std::vector<FetchItem*> items;                           // to fetch, in order
  std::vector<FetchItem> own_items;                        // holds them where there is no session

  // Whether the client must see this answer, and remembers that it has. To be called once for each item, in order.
  [[nodiscard]] bool include(FetchItem& item, const protocol::FetchResponse::PartitionData& answer, bool has_records);
};

class FetchSessionCache {
 public:
  // At most `slots` sessions; ids are drawn from `seed` on, so that caches of other shards give other ids.
  FetchSessionCache(size_t slots, uint64_t seed) : slots_(slots), next_random_(seed) {}

  [[nodiscard]] FetchContext open(const protocol::FetchRequest& request, int16_t version, int64_t now_us);

  [[nodiscard]] size_t size() const { return sessions_.size(); }
  [[nodiscard]] uint64_t evictions() const { return evictions_; }

 private:
  [[nodiscard]] FetchContext open_full(const protocol::FetchRequest& request, int16_t version, int64_t now_us);
  [[nodiscard]] FetchContext open_incremental(const protocol::FetchRequest& request, int16_t version, int64_t now_us);
  [[nodiscard]] bool make_room(bool privileged, size_t item_count, int64_t now_us);
  [[nodiscard]] int32_t new_id();

  size_t slots_;
  uint64_t next_random_;
  uint64_t evictions_ = 0;
  std::unordered_map<int32_t, std::shared_ptr<FetchSession>> sessions_;
};

}  // namespace moldau::broker
