#include "broker/partition_requests.h"

namespace moldau::broker {

using runtime::task;

static task<void> call_on_home(BrokerShard& shard, const std::vector<const PartitionCall*>& calls) {
  for (const PartitionCall* call : calls) {
    Partition* partition = shard.find(call->key.topic_id, call->key.partition);
    if (partition == nullptr)
      call->refuse(shard.absent_error(call->key));
    else
      co_await call->answer(*partition);
  }
}

task<void> call_partitions(Broker& broker, std::vector<PartitionCall> calls) {
  std::vector<std::vector<const PartitionCall*>> by_shard(broker.shards.size());
  for (const PartitionCall& call : calls)
    by_shard[static_cast<size_t>(broker.home_of(call.key.topic_id, call.key.partition).shard.index())].push_back(&call);
  co_await gather(broker, [&](size_t shard) { return !by_shard[shard].empty(); },
                  [&](BrokerShard& shard) { return call_on_home(shard, by_shard[static_cast<size_t>(shard.shard.index())]); });
}

}  // namespace moldau::broker
