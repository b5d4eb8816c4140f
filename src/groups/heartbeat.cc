// Heartbeat, versions 0 to 4.

#include "groups/operations.h"
#include "groups/rebalance.h"

namespace moldau::groups {
namespace {

ErrorCode beat(Turn& turn, const protocol::HeartbeatRequest& request) {
  if (request.group_id.empty()) return ErrorCode::invalid_group_id;
  Group* found = find_group(turn.shard, request.group_id);
  ClassicGroup* group = as_classic(found);
  if (group == nullptr) return ErrorCode::unknown_member_id;
  const ErrorCode error = validate_member(*group, request.member_id, request.group_instance_id);
  if (error != ErrorCode::none) return error;
  if (request.generation_id != group->generation) return ErrorCode::illegal_generation;
  restart_session(turn, {found->id, *group}, *find_member(*group, request.member_id));
  return group->state == ClassicState::preparing_rebalance ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

}  // namespace

void heartbeat(Turn& turn, const Call& call, const protocol::HeartbeatRequest& request) {
  protocol::HeartbeatResponse response;
  response.error_code = static_cast<int16_t>(beat(turn, request));
  reply(turn, call.token, std::move(response));
}

}  // namespace moldau::groups
