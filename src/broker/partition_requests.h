// Requests that name partitions topic by topic and are answered in the same shape: each partition is asked on its home
// shard, all shards at once, and answers into the place that the caller made for it.
#pragma once

#include <functional>
#include <vector>

#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/request.h"
#include "security/gate.h"

namespace moldau::broker {

// `answer` is called on the partition's home shard; a partition that this node does not lead is never asked.
struct PartitionCall {
  security::Authorized access;  // to the topic
  PartitionKey key;
  std::function<runtime::task<void>(Partition&)> answer;
  std::function<void(protocol::ErrorCode)> refuse;  // on the same shard, in place of `answer`
};

runtime::task<void> call_partitions(Broker& broker, std::vector<PartitionCall> calls);

}  // namespace moldau::broker
