// SyncGroup, versions 0 to 5: members wait for the leader's assignment, which is stored before anybody learns it.

#include "base/log.h"
#include "base/mutant.h"
#include "groups/group_records.h"
#include "groups/operations.h"
#include "groups/rebalance.h"

namespace moldau::groups {
namespace {

using enum ClassicState;

bool differs(const std::optional<std::string>& said, const std::optional<std::string>& known) {
  return said && known && *said != *known;
}

ErrorCode validate(const ClassicGroup& group, const protocol::SyncGroupRequest& request) {
  const ErrorCode error = validate_member(group, request.member_id, request.group_instance_id);
  if (error != ErrorCode::none) return error;
  if (request.generation_id != group.generation) return ErrorCode::illegal_generation;
  if (differs(request.protocol_type, group.protocol_type) || differs(request.protocol_name, group.protocol_name)) {
    return ErrorCode::inconsistent_group_protocol;
  }
  return group.state == preparing_rebalance ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

void store_assignment(Turn& turn, const ClassicRef& at, const protocol::SyncGroupRequest& request) {
  AssignmentStored stored{.group = at.id, .generation = at.group.generation};
  std::size_t missing = at.group.members.size();
  for (const auto& one : request.assignments) {
    if (!at.group.members.contains(one.member_id)) continue;
    if (stored.assignments.insert_or_assign(one.member_id, one.assignment).second) --missing;
  }
  if (missing > 0) log_warning("group {}: its leader gave {} members no assignment", at.id, missing);
  if (MOLDAU_MUTANT("assignment-told-before-append")) {
    append(turn, {group_record(at.id, at.group, stored.assignments)});
    return hand_out_assignment(turn, at, stored.assignments);
  }
  append(turn, {group_record(at.id, at.group, stored.assignments)}).then = std::move(stored);
}

}  // namespace

void sync_group(Turn& turn, const Call& call, const protocol::SyncGroupRequest& request) {
  const Parked parked{call.token, call.version};
  const auto refuse_sync = [&](ErrorCode error) {
    reply_sync(turn, parked, {.error_code = static_cast<int16_t>(error)});
  };
  if (call.version >= 5 && (!request.protocol_type || !request.protocol_name)) {
    return refuse_sync(ErrorCode::inconsistent_group_protocol);
  }
  if (request.group_id.empty()) return refuse_sync(ErrorCode::invalid_group_id);
  Group* found = find_group(turn.shard, request.group_id);
  ClassicGroup* group = as_classic(found);
  if (group == nullptr || group->state == empty) return refuse_sync(ErrorCode::unknown_member_id);
  const ErrorCode error = validate(*group, request);
  if (error != ErrorCode::none) return refuse_sync(error);
  const ClassicRef at{found->id, *group};
  ClassicMember& member = *find_member(*group, request.member_id);
  note_synced(turn, at, member.id);
  if (group->state == stable) {
    protocol::SyncGroupResponse response;
    response.protocol_type = group->protocol_type;
    response.protocol_name = group->protocol_name;
    response.assignment = member.assignment;
    return reply_sync(turn, parked, std::move(response));
  }
  // A request that the member left waiting on another connection is sent to join again.
  answer_sync(turn, member, {.error_code = static_cast<int16_t>(ErrorCode::rebalance_in_progress)});
  member.awaiting_sync = parked;
  if (is_leader(*group, member.id)) store_assignment(turn, at, request);
}

}  // namespace moldau::groups
