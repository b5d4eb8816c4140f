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
      refusals(metrics),
      open_files(owner.environment.files(), max_open_files / shard_count),
      fetch_sessions(static_cast<size_t>(std::max(owner.config.fetch.max_incremental_fetch_session_cache_slots, 0)) / shard_count,
                     owner.environment.random()) {}

BrokerShard::~BrokerShard() = default;

Partition* BrokerShard::find(const Uuid& topic_id, int32_t partition) const {
  const auto found = partitions.find(PartitionKey{topic_id, partition});
  return found == partitions.end() ? nullptr : found->second.get();
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
