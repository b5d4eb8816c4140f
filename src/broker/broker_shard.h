// What one shard of the broker holds: its view of the metadata, the partitions that live here, and what it counts.
//
// Owned by the Broker, one a runtime shard; used on that shard only. Handlers read `image` once and keep the pointer:
// the image never changes, a newer one replaces it between two turns.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/metrics.h"
#include "base/uuid.h"
#include "broker/fetch_session.h"
#include "broker/refusal.h"
#include "metadata/config/topic_config.h"
#include "metadata/image.h"
#include "protocol/error_code.h"
#include "runtime/environment.h"
#include "runtime/signal.h"
#include "security/authorizer.h"
#include "storage/group_commit.h"
#include "storage/open_files.h"

namespace moldau::broker {

class Broker;
class GroupHost;
class Partition;

struct PartitionKey {
  Uuid topic_id;
  int32_t partition = 0;
  friend bool operator==(const PartitionKey&, const PartitionKey&) = default;
};

struct PartitionKeyHash {
  size_t operator()(const PartitionKey& key) const {
    auto bits = static_cast<uint64_t>(key.topic_id.most_significant) * 0x9E3779B97F4A7C15ULL;
    bits ^= static_cast<uint64_t>(key.topic_id.least_significant) + static_cast<uint64_t>(key.partition) * 0xC2B2AE3D27D4EB4FULL;
    bits *= 0x9E3779B97F4A7C15ULL;
    return bits ^ (bits >> 32);
  }
};

// What a partition counts, in its home shard's registry; an append that is under way counts on when the topic is gone.
struct PartitionMetrics {
  std::shared_ptr<Counter> bytes_in;
  std::shared_ptr<Counter> records_in;
};

struct ApiMetrics {
  Counter* requests = nullptr;
  LatencyHistogram* latency = nullptr;
};

struct BrokerShard {
  BrokerShard(Broker& owner, runtime::Shard& runtime_shard, size_t shard_count);
  ~BrokerShard();

  Broker& broker;
  runtime::Shard& shard;
  std::unique_ptr<security::Authorizer> authorizer;  // asked by the gate of every request
  MetricRegistry metrics;
  Refusals refusals;
  metadata::MetadataImagePtr image;
  storage::OpenFiles open_files;
  // Logs close their files when they go, so the cache of files goes after them.
  std::map<std::string, storage::GroupCommit> commits;  // by log directory
  std::unordered_map<PartitionKey, std::shared_ptr<Partition>, PartitionKeyHash> partitions;
  // Those whose log could not be opened: whether it is worth another try.
  std::unordered_map<PartitionKey, bool, PartitionKeyHash> unopened;
  runtime::Mutex opening;  // partitions come, go and are tried again one after the other
  std::unordered_map<int32_t, std::unique_ptr<GroupHost>> groups;  // by partition of __consumer_offsets
  FetchSessionCache fetch_sessions;
  metadata::TopicConfig topic_defaults;  // of a topic without settings of its own, as of `image`

  // Null where this node does not hold it, or another shard does.
  [[nodiscard]] Partition* find(const Uuid& topic_id, int32_t partition) const;
  // What a client is told of a partition that is not here.
  [[nodiscard]] protocol::ErrorCode absent_error(const PartitionKey& key) const {
    return unopened.contains(key) ? protocol::ErrorCode::kafka_storage_error : protocol::ErrorCode::not_leader_or_follower;
  }
  [[nodiscard]] PartitionMetrics partition_metrics(const std::string& topic, int32_t partition);
  [[nodiscard]] ApiMetrics& api_metrics(int16_t api_key);
  // Counts what connections of this shard were sent of a partition, wherever it lives.
  void count_fetched(const PartitionKey& key, uint64_t bytes);
  // Forgets what this shard counts of a partition that is gone.
  void retire_metrics(const std::string& topic, const PartitionKey& key);
  // What commits the logs of a directory that live here.
  [[nodiscard]] storage::GroupCommit& commits_of(const storage::Log& log);

 private:
  std::array<ApiMetrics, 128> api_metrics_{};
  std::unordered_map<PartitionKey, std::shared_ptr<Counter>, PartitionKeyHash> fetched_bytes_;
};

}  // namespace moldau::broker
