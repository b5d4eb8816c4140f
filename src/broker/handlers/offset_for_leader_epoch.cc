// OffsetForLeaderEpoch (KIP-320): where an epoch of leadership ended, so that a client can see whether records that it
// read were lost.
#include "broker/api_handlers.h"
#include "broker/partition_requests.h"
#include "broker/reply.h"
#include "protocol/messages/offset_for_leader_epoch_request.h"
#include "protocol/messages/offset_for_leader_epoch_response.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;
using runtime::task;
using security::Operation;
using security::ResourceType;

static task<void> find_end(Partition& partition, const OffsetForLeaderEpochRequest::OffsetForLeaderPartition& asked,
                           OffsetForLeaderEpochResponse::EpochEndOffset& answer) {
  if (const ErrorCode fenced = partition.check_leader_epoch(asked.current_leader_epoch); fenced != ErrorCode::none) {
    answer.error_code = static_cast<int16_t>(fenced);
    co_return;
  }
  const auto end = partition.log().end_offset_for_epoch(LeaderEpoch(asked.leader_epoch));
  if (!end) co_return;  // nothing is known of this epoch: -1
  answer.leader_epoch = end->epoch.value();
  answer.end_offset = end->end_offset.value();
}

task<Reply> handle_offset_for_leader_epoch(RequestContext& context, Gate<ApiKey::offset_for_leader_epoch> gate) {
  MOLDAU_DECODE(OffsetForLeaderEpochRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  OffsetForLeaderEpochResponse response;
  response.topics.resize(request.topics.size());
  std::vector<PartitionCall> calls;
  // Once for followers only, now for consumers that look for lost records too.
  const auto as_broker = gate.may_on_cluster<Operation::cluster_action>(false);
  for (size_t i = 0; i < request.topics.size(); ++i) {
    response.topics[i].topic = request.topics[i].topic;
    response.topics[i].partitions.resize(request.topics[i].partitions.size());
    const auto access = as_broker ? as_broker : gate.may<Operation::describe, ResourceType::topic>(request.topics[i].topic);
    const metadata::Topic* topic = image->find_topic(request.topics[i].topic);
    for (size_t j = 0; j < request.topics[i].partitions.size(); ++j) {
      const auto& asked = request.topics[i].partitions[j];
      auto& answer = response.topics[i].partitions[j];
      answer.partition = asked.partition;
      if (!access) {
        answer.error_code = static_cast<int16_t>(ErrorCode::topic_authorization_failed);
        continue;
      }
      if (topic == nullptr || topic->find(asked.partition) == nullptr) {
        answer.error_code = static_cast<int16_t>(ErrorCode::unknown_topic_or_partition);
        continue;
      }
      calls.push_back({.access = *access,
                       .key = {topic->id, asked.partition},
                       .answer = [&asked, &answer](Partition& partition) { return find_end(partition, asked, answer); },
                       .refuse = [&answer](ErrorCode error) { answer.error_code = static_cast<int16_t>(error); }});
    }
  }
  co_await call_partitions(context.broker, std::move(calls));
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
