// Replay: the only code that changes committed offsets and the set of groups.

#include <algorithm>

#include "base/log.h"
#include "groups/group_records.h"
#include "groups/shard_state.h"

namespace moldau::groups {
namespace {

// What was there before the append touched it comes back if the append fails.
bool is_saved(const InFlight& append, const std::string& id) {
  return std::ranges::any_of(append.removed_groups, [&](const auto& one) { return one->id == id; });
}

void save(InFlight* append, std::unique_ptr<Group> group) {
  if (append != nullptr && !is_saved(*append, group->id)) append->removed_groups.push_back(std::move(group));
}

Group& put_group(ShardState& shard, const std::string& id, InFlight* append) {
  auto& place = shard.groups[id];
  if (place) save(append, std::move(place));
  place = std::make_unique<Group>();
  place->id = id;
  if (append != nullptr) {
    place->created_by = append->id;
    append->created_groups.push_back(id);
  }
  return *place;
}

void remove_group(ShardState& shard, const std::string& id, InFlight* append) {
  const auto at = shard.groups.find(id);
  if (at == shard.groups.end()) return;
  shard.deadlines.cancel_group(id);
  save(append, std::move(at->second));
  shard.groups.erase(at);
}

void apply_offset(ShardState& shard, OffsetRecord record, int64_t producer_id, InFlight* append) {
  const AppendId id = append == nullptr ? 0 : append->id;
  if (append != nullptr) append->offsets.push_back(record.key);
  if (!record.offset) {
    for (DroppedPending& dropped : shard.offsets.remove(record.key, id)) {
      if (append != nullptr) append->dropped_pending.push_back(std::move(dropped));
    }
    return;
  }
  // Offsets of a group that has no members of its own make a simple group.
  if (find_group(shard, record.key.group) == nullptr) {
    put_group(shard, record.key.group, append).kind.emplace<ClassicGroup>();
  }
  record.offset->sequence = shard.replayed;
  if (producer_id >= 0) {
    shard.offsets.put_pending(record.key, std::move(*record.offset), producer_id);
  } else {
    shard.offsets.put(record.key, std::move(*record.offset), id);
  }
}

ClassicGroup restored_group(protocol::GroupMetadataValue value) {
  ClassicGroup group;
  group.generation = value.generation;
  if (!value.protocol_type.empty()) group.protocol_type = value.protocol_type;
  group.protocol_name = value.protocol;
  if (value.current_state_timestamp != -1) group.state_timestamp_ms = value.current_state_timestamp;
  group.state = group.previous_state = value.members.empty() ? ClassicState::empty : ClassicState::stable;
  for (auto& written : value.members) {
    const bool is_repeated = group.members.contains(written.member_id) ||
                             (written.group_instance_id && group.static_members.contains(*written.group_instance_id));
    if (is_repeated) continue;  // never written so; a damaged record must not end the process
    ClassicMember member;
    member.id = std::move(written.member_id);
    member.instance_id = std::move(written.group_instance_id);
    member.client_id = std::move(written.client_id);
    member.client_host = std::move(written.client_host);
    member.session_timeout_ms = written.session_timeout;
    member.rebalance_timeout_ms = written.rebalance_timeout == -1 ? written.session_timeout : written.rebalance_timeout;
    member.protocols.push_back({value.protocol.value_or(""), std::move(written.subscription)});
    member.assignment = std::move(written.assignment);
    add_member(group, std::move(member), value.protocol_type);
  }
  if (!group.members.empty() && !group.protocol_name) group.protocol_name = "";
  if (value.leader && group.members.contains(*value.leader)) group.leader = value.leader;
  refresh_subscribed_topics(group);
  return group;
}

void apply_classic(ShardState& shard, ClassicGroupRecord record, InFlight* append) {
  if (!record.value) {
    if (find_classic(shard, record.group) != nullptr) remove_group(shard, record.group, append);
    return;
  }
  put_group(shard, record.group, append).kind = restored_group(std::move(*record.value));
}

void apply_foreign(ShardState& shard, ByteView key, const ForeignRecord& record, InFlight* append) {
  Group* group = find_group(shard, record.group);
  auto* foreign = group == nullptr ? nullptr : std::get_if<ForeignGroup>(&group->kind);
  if (foreign == nullptr || foreign->type != record.type) {
    if (!record.value) return;
    Group& made = put_group(shard, record.group, append);
    foreign = &made.kind.emplace<ForeignGroup>();
    foreign->type = record.type;
  } else if (append != nullptr) {
    save(append, std::make_unique<Group>(*group));
  }
  apply(*foreign, key, record);
  if (foreign->keys.empty()) remove_group(shard, record.group, append);
}

}  // namespace

bool apply_record(ShardState& shard, ByteView key, std::optional<ByteView> value, int64_t producer_id,
                  InFlight* append) {
  ++shard.replayed;
  auto parsed = parse_record(key, value);
  if (!parsed) {
    log_error("group coordinator: skipped a record of __consumer_offsets that it cannot read: {}", parsed.error());
    return false;
  }
  if (auto* offset = std::get_if<OffsetRecord>(&*parsed)) {
    apply_offset(shard, std::move(*offset), producer_id, append);
  } else if (auto* classic = std::get_if<ClassicGroupRecord>(&*parsed)) {
    apply_classic(shard, std::move(*classic), append);
  } else if (const auto* foreign = std::get_if<ForeignRecord>(&*parsed)) {
    apply_foreign(shard, key, *foreign, append);
  } else {
    ++shard.unknown_records;
  }
  return true;
}

}  // namespace moldau::groups
