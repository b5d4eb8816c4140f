// OffsetDelete (KIP-496): offsets of topics that the group no longer subscribes to.

#include "groups/error_replies.h"
#include "groups/group_records.h"
#include "groups/operations.h"

namespace moldau::groups {
namespace {

ErrorCode validate(const Group* group) {
  if (group == nullptr) return ErrorCode::group_id_not_found;
  if (const auto* foreign = std::get_if<ForeignGroup>(&group->kind)) {
    return foreign->type == GroupType::share ? ErrorCode::group_id_not_found : ErrorCode::none;
  }
  const auto& classic = std::get<ClassicGroup>(group->kind);
  // What members of another protocol subscribe to is not known here.
  const bool is_knowable = classic.state == ClassicState::empty || uses_consumer_protocol(classic);
  return is_knowable ? ErrorCode::none : ErrorCode::non_empty_group;
}

// Of a kept group that has members every topic counts as subscribed: its subscriptions are not read.
bool subscribes(const Group& group, std::string_view topic) {
  if (const auto* classic = std::get_if<ClassicGroup>(&group.kind)) return is_subscribed(*classic, topic);
  return !is_empty(std::get<ForeignGroup>(group.kind));
}

}  // namespace

void offset_delete(Turn& turn, const Call& call, const protocol::OffsetDeleteRequest& request) {
  if (request.group_id.empty()) {
    return reply(turn, call.token, refuse(request, call.version, ErrorCode::invalid_group_id));
  }
  const Group* group = find_group(turn.shard, request.group_id);
  const ErrorCode error = validate(group);
  if (error != ErrorCode::none) return reply(turn, call.token, refuse(request, call.version, error));

  protocol::OffsetDeleteResponse response;
  std::vector<CoordinatorRecord> records;
  for (const auto& topic : request.topics) {
    const bool is_subscribed_topic = subscribes(*group, topic.name);
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& one = answered.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      if (is_subscribed_topic) {
        one.error_code = static_cast<int16_t>(ErrorCode::group_subscribed_to_topic);
        continue;
      }
      const OffsetEntry* entry = turn.shard.offsets.find(request.group_id, topic.name, partition.partition_index);
      const bool has_offset = entry != nullptr && entry->latest;
      if (has_offset || turn.shard.offsets.has_pending(request.group_id, topic.name, partition.partition_index)) {
        records.push_back(offset_tombstone({request.group_id, topic.name, partition.partition_index}));
      }
    }
  }
  if (!records.empty()) append(turn, std::move(records));
  reply_when_settled(turn, call, std::move(response));
}

}  // namespace moldau::groups
