// AlterReplicaLogDirs (KIP-113): moves replicas of this node to other log directories; for partitions that are not there
// yet, it says where they are to be made.
#include <map>

#include "broker/api_handlers.h"
#include "broker/directory_set.h"
#include "broker/partition_requests.h"
#include "broker/replica_mover.h"
#include "broker/reply.h"
#include "protocol/messages/alter_replica_log_dirs_request.h"
#include "protocol/messages/alter_replica_log_dirs_response.h"

namespace moldau::broker {

using protocol::AlterReplicaLogDirsRequest;
using protocol::AlterReplicaLogDirsResponse;
using protocol::ErrorCode;
using runtime::task;

namespace {

constexpr size_t name_max_bytes = 255;

using TopicPartition = std::pair<std::string, int32_t>;

// Kafka cuts the names of what it deletes, not of what it moves.
bool is_too_long(const std::string& topic, int32_t partition) {
  return topic.size() + std::to_string(partition).size() + std::string_view("-.-future").size() + 32 > name_max_bytes;
}

ErrorCode refusal_of(const LogDir* target, const TopicPartition& asked) {
  if (is_too_long(asked.first, asked.second)) return ErrorCode::invalid_topic_exception;
  if (target == nullptr) return ErrorCode::log_dir_not_found;
  if (target->is_offline()) return ErrorCode::kafka_storage_error;
  return target->is_cordoned ? ErrorCode::invalid_replica_assignment : ErrorCode::none;
}

task<void> move(Broker& broker, Partition& partition, LogDir& target, ErrorCode& answer) {
  const std::shared_ptr<Partition> held = partition.shared_from_this();
  BrokerShard& home = broker.home_of(partition.topic_id(), partition.index());
  answer = co_await broker.mover->of(home).move(held, target);
}

}  // namespace

task<Reply> handle_alter_replica_log_dirs(RequestContext& context, Gate<ApiKey::alter_replica_log_dirs> gate) {
  MOLDAU_DECODE(AlterReplicaLogDirsRequest, request, context);
  Broker& broker = context.broker;
  const metadata::MetadataImagePtr image = context.shard.image;
  const auto access = gate.may_on_cluster<security::Operation::alter>();
  // A partition that is named for several directories goes to the last one.
  std::map<TopicPartition, LogDir*> asked;
  for (const auto& directory : request.dirs)
    for (const auto& topic : directory.topics)
      for (const int32_t partition : topic.partitions) asked[{topic.name, partition}] = broker.directories->find(directory.path);

  std::map<TopicPartition, ErrorCode> answers;
  std::vector<PartitionCall> calls;
  for (const auto& [name, target] : asked) {
    ErrorCode& answer = answers[name];
    answer = access ? refusal_of(target, name) : ErrorCode::cluster_authorization_failed;
    if (answer != ErrorCode::none) continue;
    const metadata::Topic* topic = image->find_topic(name.first);
    if (topic == nullptr || topic->find(name.second) == nullptr) {
      answer = ErrorCode::unknown_topic_or_partition;
      co_await runtime::call_on(broker.first_shard().shard, [&] {
        broker.directories->prefer(name.first, name.second, *target);
        return runtime::ready();
      });
      continue;
    }
    calls.push_back({.access = *access,
                     .key = {topic->id, name.second},
                     .answer = [&broker, target, &answer](Partition& partition) { return move(broker, partition, *target, answer); },
                     .refuse = [&answer](ErrorCode error) {
                       answer = error == ErrorCode::not_leader_or_follower ? ErrorCode::replica_not_available : error;
                     }});
  }
  co_await call_partitions(broker, std::move(calls));

  AlterReplicaLogDirsResponse response;
  for (const auto& [name, error] : answers) {
    if (response.results.empty() || response.results.back().topic_name != name.first) response.results.emplace_back().topic_name = name.first;
    auto& partition = response.results.back().partitions.emplace_back();
    partition.partition_index = name.second;
    partition.error_code = static_cast<int16_t>(error);
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
