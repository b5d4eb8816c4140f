// Fetcher: reads partitions from given offsets on, without a group. The caller polls; between polls nothing
// runs.
//
// Checks each batch's CRC, decompresses, leaves out control records and, when read_committed, what aborted
// transactions wrote. A leader that moved is found again; an offset out of range is the caller's to decide.
// One shard.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cluster.h"
#include "client/offsets.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/record_batch.h"

namespace moldau::client {

struct FetchOptions {
  Isolation isolation = Isolation::read_uncommitted;
  int32_t min_bytes = 1;
  int32_t max_bytes = 50 << 20;           // of one answer
  int32_t partition_max_bytes = 1 << 20;  // a larger first batch still comes whole
};

struct FetchedRecord {
  int64_t offset = -1;
  int64_t timestamp_ms = -1;
  protocol::TimestampType timestamp_type = protocol::TimestampType::create_time;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::vector<std::pair<std::string, std::optional<Bytes>>> headers;
};

struct FetchedPartition {
  TopicPartition partition;
  std::vector<FetchedRecord> records;
  int64_t next_offset = -1;  // where the next poll goes on
  int64_t high_watermark = -1;
  int64_t last_stable_offset = -1;
  int64_t log_start_offset = -1;
  std::optional<Error> error;  // what came before it was read; the position stays
};

class Fetcher {
 public:
  Fetcher(Cluster& cluster, FetchOptions options) : cluster_(cluster), options_(options) {}

  void assign(const TopicPartition& partition, int64_t offset) { positions_[partition] = offset; }
  void unassign(const TopicPartition& partition) { positions_.erase(partition); }
  [[nodiscard]] const std::map<TopicPartition, int64_t>& positions() const { return positions_; }
  [[nodiscard]] Cluster& cluster() { return cluster_; }

  // One Fetch to each leader; waits up to `max_wait_ms` at the brokers for records. Gives what came,
  // partition by partition; those with nothing new may be missing. An error of its own only when no broker
  // can be reached.
  task<client_result<std::vector<FetchedPartition>>> poll(int32_t max_wait_ms);

 private:
  task<void> fetch_from(int32_t leader, std::vector<TopicPartition> partitions, int32_t max_wait_ms,
                        std::vector<FetchedPartition>& into);

  Cluster& cluster_;
  FetchOptions options_;
  std::map<TopicPartition, int64_t> positions_;
  size_t rotation_ = 0;  // which partition stands first in the next request, so that each gets its turn
};

// The records of a Fetch answer's partition from `offset` on, as the isolation level allows; sets
// `next_offset` and, where bytes are damaged, `error`.
[[nodiscard]] FetchedPartition read_fetched(const protocol::FetchResponse::PartitionData& data,
                                            TopicPartition partition, int64_t offset, Isolation isolation);

}  // namespace moldau::client
