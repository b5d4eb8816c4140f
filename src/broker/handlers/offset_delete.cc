// OffsetDelete (KIP-496): forgets a group's offsets of topics that it does not subscribe to any more.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using security::Operation;
using security::ResourceType;

runtime::task<Reply> handle_offset_delete(RequestContext& context, Gate<ApiKey::offset_delete> gate) {
  MOLDAU_DECODE(OffsetDeleteRequest, request, context);
  const auto access = gate.may<Operation::delete_, ResourceType::group>(request.group_id);
  if (!access) {
    OffsetDeleteResponse refused;
    refused.error_code = static_cast<int16_t>(ErrorCode::group_authorization_failed);
    co_return make_reply(context, refused);
  }
  const metadata::MetadataImagePtr image = context.shard.image;
  OffsetDeleteRequest known;
  known.group_id = request.group_id;
  OffsetDeleteResponse unknown;
  for (const auto& asked : request.topics) {
    const bool may_read = gate.may<Operation::read, ResourceType::topic>(asked.name).has_value();
    const metadata::Topic* topic = image->find_topic(asked.name);
    for (const auto& partition : asked.partitions) {
      if (may_read && topic != nullptr && topic->find(partition.partition_index) != nullptr) {
        if (known.topics.empty() || known.topics.back().name != asked.name) known.topics.emplace_back().name = asked.name;
        known.topics.back().partitions.push_back(partition);
        continue;
      }
      if (unknown.topics.empty() || unknown.topics.back().name != asked.name) unknown.topics.emplace_back().name = asked.name;
      auto& entry = unknown.topics.back().partitions.emplace_back();
      entry.partition_index = partition.partition_index;
      entry.error_code = static_cast<int16_t>(may_read ? ErrorCode::unknown_topic_or_partition : ErrorCode::topic_authorization_failed);
    }
  }
  auto answer = co_await ask_coordinator(context, *access, std::move(known));
  OffsetDeleteResponse response;
  if (!answer) {
    response.error_code = static_cast<int16_t>(answer.error());
    co_return make_reply(context, response);
  }
  response = std::move(std::get<OffsetDeleteResponse>(*answer));
  if (response.error_code == 0)
    for (auto& topic : unknown.topics) {
      const auto same = std::ranges::find(response.topics, topic.name, &OffsetDeleteResponse::OffsetDeleteResponseTopic::name);
      if (same == response.topics.end())
        response.topics.push_back(std::move(topic));
      else
        same->partitions.insert(same->partitions.end(), topic.partitions.begin(), topic.partitions.end());
    }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
