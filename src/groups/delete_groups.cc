// DeleteGroups, versions 0 to 2: an empty group goes, with its offsets, by tombstones.

#include <set>

#include "base/log.h"
#include "groups/group_records.h"
#include "groups/operations.h"

namespace moldau::groups {
namespace {

ErrorCode may_delete(const Group* group) {
  if (group == nullptr) return ErrorCode::group_id_not_found;
  const auto* classic = std::get_if<ClassicGroup>(&group->kind);
  const bool empty = classic != nullptr ? classic->state == ClassicState::empty
                                        : is_empty(std::get<ForeignGroup>(group->kind));
  return empty ? ErrorCode::none : ErrorCode::non_empty_group;
}

}  // namespace

void add_offset_tombstones(ShardState& shard, const std::string& group_id, std::vector<CoordinatorRecord>& records) {
  std::set<OffsetKey> keys;
  if (const TopicOffsets* topics = shard.offsets.of_group(group_id)) {
    for (const auto& [topic, partitions] : *topics) {
      for (const auto& [partition, entry] : partitions) {
        if (entry.latest) keys.insert({group_id, topic, partition});
      }
    }
  }
  for (OffsetKey& key : shard.offsets.pending_of_group(group_id)) keys.insert(std::move(key));
  for (const OffsetKey& key : keys) records.push_back(offset_tombstone(key));
}

void add_group_tombstones(const Group& group, std::vector<CoordinatorRecord>& records) {
  if (const auto* foreign = std::get_if<ForeignGroup>(&group.kind)) {
    for (const Bytes& key : foreign->keys) records.push_back({key, std::nullopt});
  } else {
    records.push_back(group_tombstone(group.id));
  }
}

void delete_groups(Turn& turn, const Call& call, const protocol::DeleteGroupsRequest& request) {
  protocol::DeleteGroupsResponse response;
  std::vector<CoordinatorRecord> records;
  std::set<std::string_view> seen;
  for (const std::string& id : request.groups_names) {
    if (!seen.insert(id).second) continue;
    const Group* group = find_group(turn.shard, id);
    const ErrorCode error = may_delete(group);
    auto& result = response.results.emplace_back();
    result.group_id = id;
    result.error_code = static_cast<int16_t>(error);
    if (error != ErrorCode::none) continue;
    add_offset_tombstones(turn.shard, id, records);
    add_group_tombstones(*group, records);
    log_info("group {}: deleted on request", id);
  }
  if (!records.empty()) append(turn, std::move(records));
  reply_when_settled(turn, call, std::move(response));
}

}  // namespace moldau::groups
