// AlterPartitionReassignments (KIP-455). In a cluster of one the only broker that a partition can be on is this one, so
// nothing ever moves: what is asked is checked as Kafka checks it. (Moves between directories are AlterReplicaLogDirs.)
#include "broker/api_handlers.h"
#include "broker/broker.h"
#include "broker/reply.h"
#include "protocol/messages/alter_partition_reassignments_request.h"
#include "protocol/messages/alter_partition_reassignments_response.h"

namespace moldau::broker {

using protocol::AlterPartitionReassignmentsRequest;
using protocol::AlterPartitionReassignmentsResponse;
using protocol::ErrorCode;
using runtime::task;

namespace {

using Answer = AlterPartitionReassignmentsResponse::ReassignablePartitionResponse;

void refuse(Answer& answer, ErrorCode error, std::string message = {}) {
  answer.error_code = static_cast<int16_t>(error);
  answer.error_message = message.empty() ? std::string(protocol::error_message(error)) : std::move(message);
}

void check(const metadata::MetadataImage& image, const metadata::Partition& partition, const std::vector<int32_t>& replicas, Answer& answer) {
  if (replicas.empty()) return refuse(answer, ErrorCode::invalid_replica_assignment, "The manual partition assignment includes an empty replica list.");
  for (size_t i = 0; i < replicas.size(); ++i) {
    if (image.find_broker(replicas[i]) == nullptr)
      return refuse(answer, ErrorCode::invalid_replica_assignment,
                    fmt::format("The manual partition assignment includes broker {}, but no such broker is registered.", replicas[i]));
    if (std::ranges::count(replicas, replicas[i]) > 1)
      return refuse(answer, ErrorCode::invalid_replica_assignment,
                    fmt::format("The manual partition assignment includes the broker {} more than once.", replicas[i]));
  }
  if (replicas != partition.replicas)
    refuse(answer, ErrorCode::invalid_replica_assignment, "Replicas cannot be moved between brokers by this release.");
}

}  // namespace

task<Reply> handle_alter_partition_reassignments(RequestContext& context, Gate<ApiKey::alter_partition_reassignments> gate) {
  MOLDAU_DECODE(AlterPartitionReassignmentsRequest, request, context);
  AlterPartitionReassignmentsResponse response;
  if (context.version >= 1) response.allow_replication_factor_change = request.allow_replication_factor_change;
  const bool is_allowed = gate.may_on_cluster<security::Operation::alter>().has_value();
  if (!is_allowed) {  // said of the whole and of each part, as Kafka does
    response.error_code = static_cast<int16_t>(ErrorCode::cluster_authorization_failed);
    response.error_message = protocol::error_message(ErrorCode::cluster_authorization_failed);
  }
  const metadata::MetadataImagePtr image = context.shard.image;
  for (const auto& asked : request.topics) {
    auto& topic_answer = response.responses.emplace_back();
    topic_answer.name = asked.name;
    const metadata::Topic* topic = image->find_topic(asked.name);
    for (const auto& part : asked.partitions) {
      Answer& answer = topic_answer.partitions.emplace_back();
      answer.partition_index = part.partition_index;
      answer.error_message = std::nullopt;
      const metadata::Partition* partition = topic == nullptr ? nullptr : topic->find(part.partition_index);
      if (!is_allowed)
        refuse(answer, ErrorCode::cluster_authorization_failed);
      else if (topic == nullptr)
        refuse(answer, ErrorCode::unknown_topic_or_partition, fmt::format("Unable to find a topic named {}.", asked.name));
      else if (partition == nullptr)
        refuse(answer, ErrorCode::unknown_topic_or_partition, fmt::format("Unable to find partition {}:{}.", asked.name, part.partition_index));
      else if (!part.replicas)
        refuse(answer, ErrorCode::no_reassignment_in_progress);
      else
        check(*image, *partition, *part.replicas, answer);
    }
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
