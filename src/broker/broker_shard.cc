#include "broker/broker_shard.h"

#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/partition.h"
#include "protocol/api_table.h"

namespace moldau::broker {

static constexpr size_t max_open_files = 4096;  // of the node

BrokerShard::BrokerShard(Broker& owner, runtime::Shard& runtime_shard, size_t shard_count)
    : broker(owner),
      shard(runtime_shard),
      authorizer(security::allow_all()),
      refusals(metrics),
      open_files(owner.environment.files(), max_open_files / shard_count),
      fetch_sessions(static_cast<size_t>(std::max(owner.config.fetch.max_incremental_fetch_session_cache_slots, 0)) / shard_count,
                     owner.environment.random()) {}

BrokerShard::~BrokerShard() = default;

Partition* BrokerShard::find(const Uuid& topic_id, int32_t partition) const {
  const auto found = partitions.find(PartitionKey{topic_id, partition});
  return found == partitions.end() ? nullptr : found->second.get();
}

static constexpr const char* received_bytes_name = "moldau_partition_received_bytes_total";
static constexpr const char* sent_bytes_name = "moldau_partition_sent_bytes_total";
static constexpr const char* records_name = "moldau_partition_records_total";

static MetricLabels partition_labels(const std::string& topic, int32_t partition) {
  return {{"topic", topic}, {"partition", std::to_string(partition)}};
}

static std::shared_ptr<Counter> sent_bytes_counter(MetricRegistry& metrics, const std::string& topic, int32_t partition) {
  return metrics.shared_counter(sent_bytes_name, "Bytes fetched by clients.", partition_labels(topic, partition));
}

PartitionMetrics BrokerShard::partition_metrics(const std::string& topic, int32_t partition) {
  (void)sent_bytes_counter(metrics, topic, partition);  // so that it is shown before anybody fetches
  const MetricLabels labels = partition_labels(topic, partition);
  return {.bytes_in = metrics.shared_counter(received_bytes_name, "Bytes appended by clients.", labels),
          .records_in = metrics.shared_counter(records_name, "Records appended.", labels)};
}

void BrokerShard::count_fetched(const PartitionKey& key, uint64_t bytes) {
  std::shared_ptr<Counter>& counter = fetched_bytes_[key];
  if (counter == nullptr) {
    const metadata::Topic* topic = image->find_topic(key.topic_id);
    if (topic == nullptr) {
      fetched_bytes_.erase(key);
      return;
    }
    counter = sent_bytes_counter(metrics, topic->name, key.partition);
  }
  counter->add(bytes);
}

void BrokerShard::retire_metrics(const std::string& topic, const PartitionKey& key) {
  fetched_bytes_.erase(key);
  const MetricLabels labels = partition_labels(topic, key.partition);
  for (const char* name : {received_bytes_name, sent_bytes_name, records_name}) metrics.retire(name, labels);
}

storage::GroupCommit& BrokerShard::commits_of(const storage::Log& log) {
  const auto found = commits.find(log.log_dir());
  if (found != commits.end()) return found->second;
  const MetricLabels labels{{"directory", log.log_dir()}};
  const storage::GroupCommitMetrics counted{
      .rounds = &metrics.counter("moldau_group_commits_total", "Rounds that put appended records on stable storage.", labels),
      .logs = &metrics.counter("moldau_group_commit_logs_total", "Logs that those rounds served.", labels),
      .flush = &metrics.histogram("moldau_group_commit_seconds", "Time of a round.", labels)};
  return commits.try_emplace(log.log_dir(), broker.environment.files(), log.health(), counted).first->second;
}

ApiMetrics& BrokerShard::api_metrics(int16_t api_key) {
  ApiMetrics& of_api = api_metrics_[static_cast<size_t>(api_key)];
  if (of_api.requests == nullptr) {
    const std::string name(protocol::find_api(api_key)->name);
    of_api.requests = &metrics.counter("moldau_requests_total", "Requests that were answered.", {{"api", name}});
    of_api.latency = &metrics.histogram("moldau_request_latency_seconds",
                                        "Time from a request's arrival to its answer.", {{"api", name}});
  }
  return of_api;
}

}  // namespace moldau::broker
