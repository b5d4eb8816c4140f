// Offsets by time: where partitions begin and end, and which record was the first at or after an instant
// (ListOffsets).
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "client/cluster.h"

namespace moldau::client {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

enum class Isolation : int8_t { read_uncommitted = 0, read_committed = 1 };

// Kafka's special timestamps.
inline constexpr int64_t latest_offset =
    -1;  // the high watermark, or the last stable offset when read_committed
inline constexpr int64_t earliest_offset = -2;
inline constexpr int64_t max_timestamp_offset = -3;

struct OffsetQuery {
  TopicPartition partition;
  int64_t timestamp = latest_offset;  // ms since 1970, or one of the above
};

struct FoundOffset {
  TopicPartition partition;
  int64_t offset = -1;     // -1: no record is that young
  int64_t timestamp = -1;  // of the record found; -1 for latest and earliest
  int32_t leader_epoch = -1;
  std::optional<Error> error;
};

// Asks each partition's leader, as few requests a broker as may be; answers stand in the order of the queries. What fails
// for a while (no leader, a leader that moved) is tried again up to the cluster's retry timeout.
task<client_result<std::vector<FoundOffset>>> find_offsets(Cluster& cluster, std::vector<OffsetQuery> queries,
                                                           Isolation isolation = Isolation::read_uncommitted);

}  // namespace moldau::client
