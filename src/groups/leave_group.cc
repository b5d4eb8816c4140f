// LeaveGroup, versions 0 to 5: one member, from version 3 on any number, each with an answer of its own.

#include <algorithm>

#include "base/log.h"
#include "groups/operations.h"
#include "groups/rebalance.h"

namespace moldau::groups {
namespace {

using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;

std::vector<LeaveGroupRequest::MemberIdentity> leaving_members(const LeaveGroupRequest& request, int16_t version) {
  if (version >= 3) return request.members;
  LeaveGroupRequest::MemberIdentity one;
  one.member_id = request.member_id;
  return {std::move(one)};
}

// The id of the member to remove, or why there is none. An empty member id with an instance id removes a static member
// whatever its id is: administrators do that.
ErrorCode resolve(const ClassicGroup& group, const LeaveGroupRequest::MemberIdentity& leaving, std::string& member_id) {
  member_id = leaving.member_id;
  if (member_id.empty()) {
    const auto at = leaving.group_instance_id ? group.static_members.find(*leaving.group_instance_id)
                                              : group.static_members.end();
    if (at == group.static_members.end()) return ErrorCode::unknown_member_id;
    member_id = at->second;
    return ErrorCode::none;
  }
  if (group.pending_join.contains(member_id)) return ErrorCode::none;
  return validate_member(group, member_id, leaving.group_instance_id);
}

ErrorCode leave(Turn& turn, const ClassicRef& at, const LeaveGroupRequest::MemberIdentity& leaving) {
  std::string member_id;
  const ErrorCode error = resolve(at.group, leaving, member_id);
  if (error != ErrorCode::none) return error;
  log_info("group {}: member {} leaves; its reason: {}", at.id, member_id, leaving.reason.value_or("none given"));
  if (ClassicMember* member = find_member(at.group, member_id)) {
    answer_join(turn, at, *member, join_error("", ErrorCode::unknown_member_id));
    answer_sync(turn, *member, {.error_code = static_cast<int16_t>(ErrorCode::unknown_member_id)});
  }
  cancel_session(turn, at, member_id);
  remove_member(at.group, member_id);
  return ErrorCode::none;
}

// Before version 3 the member's error stands for the whole.
LeaveGroupResponse shaped(LeaveGroupResponse response, int16_t version) {
  if (version >= 3) return response;
  if (response.error_code == 0 && !response.members.empty()) response.error_code = response.members.front().error_code;
  response.members.clear();
  return response;
}

}  // namespace

void leave_group(Turn& turn, const Call& call, const LeaveGroupRequest& request) {
  LeaveGroupResponse response;
  if (request.group_id.empty()) {
    response.error_code = static_cast<int16_t>(ErrorCode::invalid_group_id);
    return reply(turn, call.token, std::move(response));
  }
  Group* found = find_group(turn.shard, request.group_id);
  ClassicGroup* group = as_classic(found);
  bool has_left = false;
  for (const auto& leaving : leaving_members(request, call.version)) {
    const ErrorCode error =
        group == nullptr ? ErrorCode::unknown_member_id : leave(turn, {found->id, *group}, leaving);
    auto& answered = response.members.emplace_back();
    answered.member_id = leaving.member_id;
    answered.group_instance_id = leaving.group_instance_id;
    answered.error_code = static_cast<int16_t>(error);
    has_left |= error == ErrorCode::none;
  }
  if (has_left && group->state != ClassicState::empty) rebalance_or_complete(turn, {found->id, *group});
  reply_when_settled(turn, call, shaped(std::move(response), call.version));
}

}  // namespace moldau::groups
