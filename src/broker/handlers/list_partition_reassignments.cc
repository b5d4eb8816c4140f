// ListPartitionReassignments (KIP-455): partitions on their way from broker to broker. Moves between the directories of one
// broker are none; DescribeLogDirs shows them.
#include "broker/api_handlers.h"
#include "broker/broker_shard.h"
#include "broker/reply.h"
#include "protocol/messages/list_partition_reassignments_request.h"
#include "protocol/messages/list_partition_reassignments_response.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::ListPartitionReassignmentsRequest;
using protocol::ListPartitionReassignmentsResponse;
using runtime::task;

static bool is_asked(const ListPartitionReassignmentsRequest& request, const std::string& topic, int32_t partition) {
  if (!request.topics) return true;
  return std::ranges::any_of(*request.topics, [&](const auto& asked) {
    return asked.name == topic && std::ranges::find(asked.partition_indexes, partition) != asked.partition_indexes.end();
  });
}

task<Reply> handle_list_partition_reassignments(RequestContext& context, Gate<ApiKey::list_partition_reassignments> gate) {
  MOLDAU_DECODE(ListPartitionReassignmentsRequest, request, context);
  ListPartitionReassignmentsResponse response;
  if (!gate.may_on_cluster<security::Operation::describe>()) {
    response.error_code = static_cast<int16_t>(ErrorCode::cluster_authorization_failed);
    response.error_message = protocol::error_message(ErrorCode::cluster_authorization_failed);
    co_return make_reply(context, response);
  }
  const metadata::MetadataImagePtr image = context.shard.image;
  for (const auto& [id, topic] : image->topics_by_id) {
    ListPartitionReassignmentsResponse::OngoingTopicReassignment ongoing;
    ongoing.name = topic->name;
    for (const metadata::Partition& partition : topic->partitions) {
      if (partition.adding_replicas.empty() && partition.removing_replicas.empty()) continue;
      if (!is_asked(request, topic->name, partition.index)) continue;
      auto& entry = ongoing.partitions.emplace_back();
      entry.partition_index = partition.index;
      entry.replicas = partition.replicas;
      entry.adding_replicas = partition.adding_replicas;
      entry.removing_replicas = partition.removing_replicas;
    }
    if (!ongoing.partitions.empty()) response.topics.push_back(std::move(ongoing));
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
