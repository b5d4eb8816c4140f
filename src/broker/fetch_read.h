// Reading many partitions for one fetch: each on its home shard, within one budget of bytes, without copying records.
#pragma once

#include <memory>
#include <vector>

#include "broker/fetch_session.h"
#include "broker/fetch_watch.h"
#include "broker/request.h"
#include "broker/gather.h"
#include "security/gate.h"

namespace moldau::broker {

// What a partition answered.
struct FetchedPartition {
  protocol::FetchResponse::PartitionData answer;  // without records
  Uuid topic_id;                                  // of what was read
  std::vector<Reply::FileRange> ranges;           // the records; after_bytes unused
  uint64_t size_bytes = 0;                        // of all ranges
  bool ends_wait = false;                         // an error or a diverging epoch: answer at once
};

// Answers a partition with an error.
void refuse(FetchedPartition& result, protocol::ErrorCode error);

struct FetchTerms {
  int16_t version = 0;
  bool read_committed = false;
  int32_t max_bytes = 0;  // of the whole answer
};

// Reads every item whose topic the caller may read, in order. `watch` (may be null) is left with each partition that was read, so that it fires when
// there is more.
runtime::task<std::vector<FetchedPartition>> read_partitions(Broker& broker, BrokerShard& here, const FetchContext& context,
                                                             const metadata::MetadataImage& image,
                                                             security::Gate<protocol::ApiKey::fetch> gate, FetchTerms terms,
                                                             std::shared_ptr<FetchWatch> watch);

}  // namespace moldau::broker
