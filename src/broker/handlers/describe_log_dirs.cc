// DescribeLogDirs (KIP-113): what lies in each of log.dirs, and how much room there is.
#include <map>

#include "broker/api_handlers.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/replica_mover.h"
#include "broker/reply.h"
#include "protocol/messages/describe_log_dirs_request.h"
#include "protocol/messages/describe_log_dirs_response.h"

namespace moldau::broker {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using protocol::ErrorCode;
using runtime::task;

namespace {

struct Size {
  std::string directory;
  std::string topic;
  int32_t partition = 0;
  int64_t bytes = 0;
  int64_t lag = 0;
  bool is_future = false;
};

bool is_asked(const DescribeLogDirsRequest& request, const Partition& partition) {
  if (!request.topics) return true;
  for (const auto& topic : *request.topics)
    if (topic.topic == partition.topic() && std::ranges::find(topic.partitions, partition.index()) != topic.partitions.end()) return true;
  return false;
}

Size size_of(const storage::Log& log) {
  return {.directory = log.log_dir(), .topic = log.topic(), .partition = log.partition(), .bytes = static_cast<int64_t>(log.size_bytes())};
}

task<void> measure(BrokerShard& shard, const DescribeLogDirsRequest& request, std::vector<Size>& into) {
  for (const auto& [key, partition] : shard.partitions)
    if (is_asked(request, *partition)) into.push_back(size_of(partition->log()));
  for (const ShardMover::View& move : shard.broker.mover->of(shard).moves()) {
    if (!is_asked(request, *shard.partitions.at(move.key))) continue;
    Size size = size_of(*move.future);
    size.lag = move.lag;
    size.is_future = true;
    into.push_back(std::move(size));
  }
  return runtime::ready();
}

}  // namespace

task<Reply> handle_describe_log_dirs(RequestContext& context, Gate<ApiKey::describe_log_dirs> gate) {
  MOLDAU_DECODE(DescribeLogDirsRequest, request, context);
  if (!gate.may_on_cluster<security::Operation::describe>()) {
    DescribeLogDirsResponse refused;
    if (context.version >= 3) refused.error_code = static_cast<int16_t>(ErrorCode::cluster_authorization_failed);
    co_return make_reply(context, refused);
  }
  Broker& broker = context.broker;
  std::vector<std::vector<Size>> of_shard(broker.shards.size());
  co_await gather_all(broker, [&](BrokerShard& shard) {
    return measure(shard, request, of_shard[static_cast<size_t>(shard.shard.index())]);
  });
  std::map<std::string, std::map<std::string, std::map<int32_t, Size>>> sizes;
  for (const auto& part : of_shard)
    for (const Size& size : part) sizes[size.directory][size.topic][size.partition] = size;

  DescribeLogDirsResponse response;
  for (const auto& directory : broker.directories->directories()) {
    auto& result = response.results.emplace_back();
    result.log_dir = directory->path();
    result.is_cordoned = context.version >= 5 && directory->is_cordoned;
    if (directory->is_offline()) {
      result.error_code = static_cast<int16_t>(ErrorCode::kafka_storage_error);
      continue;
    }
    for (const auto& [topic, partitions] : sizes[directory->path()]) {
      auto& topic_answer = result.topics.emplace_back();
      topic_answer.name = topic;
      for (const auto& [partition, size] : partitions) {
        auto& entry = topic_answer.partitions.emplace_back();
        entry.partition_index = partition;
        entry.partition_size = size.bytes;
        entry.offset_lag = size.lag;
        entry.is_future_key = size.is_future;
      }
    }
    const auto space = co_await broker.environment.files().space(directory->path());
    if (!space) continue;
    result.total_bytes = static_cast<int64_t>(space->total_bytes);
    result.usable_bytes = static_cast<int64_t>(space->free_bytes);
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
