#include "groups/foreign_group.h"

#include <algorithm>

#include "base/assert.h"
#include "groups/group_records.h"

namespace moldau::groups {
namespace {

// What a record type says of the group; the three kinds keep the same things under different numbers.
enum class Role : uint8_t { group_epoch, member, target_epoch, current_assignment, other };

Role role_of(int16_t record_type) {
  switch (record_type) {
    case 3: case 11: case 17: return Role::group_epoch;
    case 5: case 10: case 19: return Role::member;
    case 6: case 12: case 20: return Role::target_epoch;
    case 8: case 14: case 22: return Role::current_assignment;
    default: return Role::other;
  }
}

// All these values start with their version and an epoch, and a current assignment goes on with the epoch before and
// the member's state.
int32_t epoch_in(const std::optional<Bytes>& value) {
  return value && value->size() >= 6 ? load_be<int32_t>(value->data() + 2) : 0;
}
int8_t member_state_in(const std::optional<Bytes>& value) {
  return value && value->size() >= 11 ? load_be<int8_t>(value->data() + 10) : int8_t{0};
}

}  // namespace

std::string_view type_name(GroupType type) {
  switch (type) {
    case GroupType::classic: return "classic";
    case GroupType::consumer: return "consumer";
    case GroupType::share: return "share";
    case GroupType::streams: return "streams";
  }
  MOLDAU_UNREACHABLE("a group has one of four types");
}

std::string_view state_name(const ForeignGroup& group) {
  if (is_empty(group)) return "Empty";
  if (group.type == GroupType::share) return "Stable";
  if (group.epoch > group.target_epoch) return "Assigning";
  const bool settled = std::ranges::all_of(group.members, [&](const auto& one) {
    return !one.second.exists || (one.second.state == 0 && one.second.epoch == group.target_epoch);
  });
  return settled ? "Stable" : "Reconciling";
}

bool is_empty(const ForeignGroup& group) {
  return std::ranges::none_of(group.members, [](const auto& one) { return one.second.exists; });
}

void apply(ForeignGroup& group, ByteView key, const ForeignRecord& record) {
  if (record.value) {
    group.keys.insert(to_bytes(key));
  } else {
    group.keys.erase(to_bytes(key));
  }
  switch (role_of(record.record_type)) {
    case Role::group_epoch: group.epoch = epoch_in(record.value); break;
    case Role::target_epoch: group.target_epoch = epoch_in(record.value); break;
    case Role::member:
      if (record.value) {
        group.members[record.member].exists = true;
      } else {
        group.members.erase(record.member);
      }
      break;
    case Role::current_assignment:
      if (record.value) {
        ForeignMember& member = group.members[record.member];
        member.epoch = epoch_in(record.value);
        member.state = member_state_in(record.value);
      } else if (const auto at = group.members.find(record.member); at != group.members.end()) {
        at->second.epoch = 0;
        at->second.state = 0;
        if (!at->second.exists) group.members.erase(at);
      }
      break;
    case Role::other: break;
  }
}

ErrorCode validate_commit(const ForeignGroup& group, std::string_view member_id, int32_t member_epoch,
                          int16_t version) {
  if (group.type == GroupType::share) return ErrorCode::group_id_not_found;
  if (member_epoch < 0 && is_empty(group)) return ErrorCode::none;
  const auto member = group.members.find(member_id);
  if (member == group.members.end() || !member->second.exists) return ErrorCode::unknown_member_id;
  if (version < 9) return ErrorCode::unsupported_version;
  return member_epoch == member->second.epoch ? ErrorCode::none : ErrorCode::stale_member_epoch;
}

ErrorCode validate_fetch(const ForeignGroup& group, const std::optional<std::string>& member_id,
                         int32_t member_epoch) {
  if (group.type == GroupType::share) return ErrorCode::group_id_not_found;
  if (!member_id && member_epoch < 0) return ErrorCode::none;
  const auto member = group.members.find(member_id.value_or(""));
  if (member == group.members.end() || !member->second.exists) return ErrorCode::unknown_member_id;
  return member_epoch == member->second.epoch ? ErrorCode::none : ErrorCode::stale_member_epoch;
}

}  // namespace moldau::groups
