// OffsetFetch: how far groups have read. Each group is asked of its own coordinator; ids become names on the way in.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"
#include "groups/offset_fetch_shape.h"

namespace moldau::broker {

using protocol::ErrorCode;
using protocol::OffsetFetchResponse;
using GroupAnswer = OffsetFetchResponse::OffsetFetchResponseGroup;
using runtime::task;

static constexpr int16_t first_version_by_id = 10;

namespace {

// Gives every topic its name. Those whose id nobody knows are answered here.
void resolve_ids(groups::OffsetFetchGroup& asked, const metadata::MetadataImage& image, GroupAnswer& unknown) {
  if (!asked.group.topics) return;
  std::erase_if(*asked.group.topics, [&](auto& topic) {
    if (const metadata::Topic* found = image.find_topic(topic.topic_id)) {
      topic.name = found->name;
      return false;
    }
    auto& answer = unknown.topics.emplace_back();
    answer.topic_id = topic.topic_id;
    for (const int32_t partition : topic.partition_indexes) {
      auto& entry = answer.partitions.emplace_back();
      entry.partition_index = partition;
      entry.committed_offset = -1;
      entry.error_code = static_cast<int16_t>(ErrorCode::unknown_topic_id);
    }
    return true;
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

task<Reply> handle_offset_fetch(RequestContext& context) {
  MOLDAU_DECODE(OffsetFetchRequest, request, context);
  const metadata::MetadataImagePtr image = context.shard.image;
  const bool by_id = context.version >= first_version_by_id;
  std::vector<GroupAnswer> answers;
  for (groups::OffsetFetchGroup& asked : groups::offset_fetch_groups(request, context.version)) {
    GroupAnswer unknown;
    if (by_id) resolve_ids(asked, *image, unknown);
    auto answer = co_await ask_coordinator(context, asked.group.group_id, asked);
    GroupAnswer& group = answers.emplace_back(answer ? std::get<GroupAnswer>(std::move(*answer)) : refuse_group(asked, answer.error()));
    if (!by_id || group.error_code != 0) continue;
    name_by_id(group, *image);
    group.topics.insert(group.topics.end(), std::make_move_iterator(unknown.topics.begin()),
                        std::make_move_iterator(unknown.topics.end()));
  }
  co_return make_reply(context, groups::offset_fetch_response(std::move(answers), context.version));
}

}  // namespace moldau::broker
