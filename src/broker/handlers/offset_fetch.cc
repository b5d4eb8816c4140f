// OffsetFetch: how far groups have read. Each group is asked of its own coordinator; ids become names on the way in.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"
#include "groups/error_replies.h"
#include "groups/offset_fetch_shape.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::OffsetFetchResponse;
using GroupAnswer = OffsetFetchResponse::OffsetFetchResponseGroup;
using runtime::task;
using security::Operation;
using security::ResourceType;

static constexpr int16_t first_version_by_id = 10;

namespace {

void refuse_topic(const protocol::OffsetFetchRequest::OffsetFetchRequestTopics& asked, ErrorCode error, GroupAnswer& refused) {
  auto& answer = refused.topics.emplace_back();
  answer.name = asked.name;
  answer.topic_id = asked.topic_id;
  for (const int32_t partition : asked.partition_indexes) {
    auto& entry = answer.partitions.emplace_back();
    entry.partition_index = partition;
    entry.committed_offset = -1;
    entry.error_code = static_cast<int16_t>(error);
  }
}

// Gives every topic its name. Those whose id nobody knows, and those that the caller may not describe, are answered here.
void settle_topics(groups::OffsetFetchGroup& asked, Gate<ApiKey::offset_fetch> gate, const metadata::MetadataImage& image,
                   bool by_id, GroupAnswer& refused) {
  if (!asked.group.topics) return;
  std::erase_if(*asked.group.topics, [&](auto& topic) {
    if (by_id) {
      const metadata::Topic* found = image.find_topic(topic.topic_id);
      if (found == nullptr) return refuse_topic(topic, ErrorCode::unknown_topic_id, refused), true;
      topic.name = found->name;
    }
    if (gate.may<Operation::describe, ResourceType::topic>(topic.name)) return false;
    return refuse_topic(topic, ErrorCode::topic_authorization_failed, refused), true;
  });
}

// All offsets of a group were asked for: topics that are gone have no id and cannot be named from version 10 on.
void name_by_id(GroupAnswer& answer, const metadata::MetadataImage& image) {
  std::erase_if(answer.topics, [&](auto& topic) {
    const metadata::Topic* found = topic.topic_id.is_zero() ? image.find_topic(topic.name) : image.find_topic(topic.topic_id);
    if (found == nullptr) return true;
    topic.topic_id = found->id;
    return false;
  });
}

GroupAnswer refuse_group(const groups::OffsetFetchGroup& asked, ErrorCode error) {
  GroupAnswer answer;
  answer.group_id = asked.group.group_id;
  answer.error_code = static_cast<int16_t>(error);
  return answer;
}

}  // namespace

task<Reply> handle_offset_fetch(RequestContext& context, Gate<ApiKey::offset_fetch> gate) {
  MOLDAU_DECODE(OffsetFetchRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  const bool by_id = context.version >= first_version_by_id;
  std::vector<GroupAnswer> answers;
  for (groups::OffsetFetchGroup& asked : groups::offset_fetch_groups(request, context.version)) {
    const auto access = gate.may<Operation::describe, ResourceType::group>(asked.group.group_id);
    if (!access) {
      answers.push_back(groups::refuse_offset_fetch(asked.group, context.version, ErrorCode::group_authorization_failed));
      continue;
    }
    GroupAnswer refused;
    settle_topics(asked, gate, *image, by_id, refused);
    auto answer = co_await ask_coordinator(context, *access, asked);
    GroupAnswer& group = answers.emplace_back(answer ? std::get<GroupAnswer>(std::move(*answer)) : refuse_group(asked, answer.error()));
    if (group.error_code != 0) continue;
    // Where all topics were asked for, those that the caller may not describe are left out.
    if (!asked.group.topics)
      std::erase_if(group.topics, [&](const auto& topic) { return !gate.may<Operation::describe, ResourceType::topic>(topic.name); });
    if (by_id) name_by_id(group, *image);
    group.topics.insert(group.topics.end(), std::make_move_iterator(refused.topics.begin()),
                        std::make_move_iterator(refused.topics.end()));
  }
  co_return make_reply(context, groups::offset_fetch_response(std::move(answers), context.version));
}

}  // namespace moldau::broker
