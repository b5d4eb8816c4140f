#include "groups/rebalance.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "groups/group_records.h"

namespace moldau::groups {
namespace {

using enum ClassicState;

DeadlineKey join_key(const ClassicRef& at) { return {DeadlineKind::join, at.id, ""}; }
DeadlineKey sync_key(const ClassicRef& at) { return {DeadlineKind::sync, at.id, ""}; }

void stop_waiting_for_sync(Turn& turn, const ClassicRef& at) {
  at.group.pending_sync.clear();
  turn.shard.deadlines.cancel(sync_key(at));
}

// The first rebalance of an empty group waits for more members: one delay after the other while new ones come, up to
// the longest rebalance timeout (KIP-134).
void start_initial_delay(Turn& turn, const ClassicRef& at) {
  const int32_t delay = turn.shard.config.initial_rebalance_delay_ms;
  at.group.initial_delay_ms = delay;
  at.group.initial_remaining_ms = std::max(rebalance_timeout_ms(at.group) - delay, 0);
  turn.shard.deadlines.set(join_key(at), turn.now_ms + delay);
}

void extend_initial_delay_or_complete(Turn& turn, const ClassicRef& at) {
  ClassicGroup& group = at.group;
  if (!group.new_member_added || group.initial_remaining_ms == 0) return complete_join(turn, at);
  group.new_member_added = false;
  const int32_t delay = std::min(turn.shard.config.initial_rebalance_delay_ms, group.initial_remaining_ms);
  group.initial_remaining_ms = std::max(group.initial_remaining_ms - group.initial_delay_ms, 0);
  group.initial_delay_ms = delay;
  turn.shard.deadlines.set(join_key(at), turn.now_ms + delay);
}

// Dynamic members that did not come back are out; static ones stay until their session ends (KIP-345).
void drop_members_not_joined(Turn& turn, const ClassicRef& at) {
  std::vector<std::string> gone;
  for (const auto& [id, member] : at.group.members) {
    if (!member.awaiting_join && !member.instance_id) gone.push_back(id);
  }
  for (const std::string& id : gone) {
    answer_sync(turn, at.group.members.at(id), {.error_code = static_cast<int16_t>(ErrorCode::unknown_member_id)});
    remove_member(at.group, id);
    cancel_session(turn, at, id);
  }
  if (!gone.empty()) log_info("group {}: {} members did not rejoin in time and are out", at.id, gone.size());
}

void tell_new_generation(Turn& turn, const ClassicRef& at) {
  for (auto& [id, member] : at.group.members) {
    answer_join(turn, at, member, joined_response(at.group, member));
    restart_session(turn, at, member);
    member.is_new = false;
    at.group.pending_sync.insert(id);
  }
  turn.shard.deadlines.set(sync_key(at), turn.now_ms + rebalance_timeout_ms(at.group));
}

}  // namespace

void restart_session(Turn& turn, const ClassicRef& at, const ClassicMember& member) {
  restart_session(turn, at, member, member.session_timeout_ms);
}

void restart_session(Turn& turn, const ClassicRef& at, const ClassicMember& member, int64_t timeout_ms) {
  turn.shard.deadlines.set({DeadlineKind::session, at.id, member.id}, turn.now_ms + timeout_ms);
}

void cancel_session(Turn& turn, const ClassicRef& at, const std::string& member_id) {
  turn.shard.deadlines.cancel({DeadlineKind::session, at.id, member_id});
}

void reply_join(Turn& turn, Parked to, protocol::JoinGroupResponse response) {
  // A null protocol name exists from version 7 on only, and there an empty one is written as null.
  if (to.version < 7) {
    response.protocol_type.reset();
    if (!response.protocol_name) response.protocol_name = "";
  } else if (response.protocol_name == "") {
    response.protocol_name.reset();
  }
  reply(turn, to.token, std::move(response));
}

void reply_sync(Turn& turn, Parked to, protocol::SyncGroupResponse response) {
  if (to.version < 5) {
    response.protocol_type.reset();
    response.protocol_name.reset();
  }
  reply(turn, to.token, std::move(response));
}

void answer_join(Turn& turn, const ClassicRef& at, ClassicMember& member, protocol::JoinGroupResponse response) {
  if (const auto parked = park_join(at.group, member, std::nullopt)) reply_join(turn, *parked, std::move(response));
}

bool answer_sync(Turn& turn, ClassicMember& member, protocol::SyncGroupResponse response) {
  const auto parked = std::exchange(member.awaiting_sync, std::nullopt);
  if (parked) reply_sync(turn, *parked, std::move(response));
  return parked.has_value();
}

protocol::JoinGroupResponse joined_response(const ClassicGroup& group, const ClassicMember& member) {
  protocol::JoinGroupResponse response;
  response.generation_id = group.generation;
  response.protocol_type = group.protocol_type;
  response.protocol_name = group.protocol_name;
  response.leader = group.leader.value_or("");
  response.member_id = member.id;
  if (!is_leader(group, member.id)) return response;
  response.members.reserve(group.members.size());
  for (const auto& [id, one] : group.members) {
    auto& listed = response.members.emplace_back();
    listed.member_id = id;
    listed.group_instance_id = one.instance_id;
    const Bytes* metadata = group.protocol_name ? one.metadata(*group.protocol_name) : nullptr;
    if (metadata != nullptr) listed.metadata = *metadata;
  }
  return response;
}

protocol::JoinGroupResponse join_error(std::string_view member_id, ErrorCode error) {
  protocol::JoinGroupResponse response;
  response.error_code = static_cast<int16_t>(error);
  response.member_id = member_id;
  response.protocol_type.reset();
  response.protocol_name.reset();
  return response;
}

void rebalance_or_complete(Turn& turn, const ClassicRef& at) {
  const ClassicState state = at.group.state;
  if (state == stable || state == completing_rebalance || state == empty) {
    prepare_rebalance(turn, at);
  } else {
    maybe_complete_join(turn, at);
  }
}

void prepare_rebalance(Turn& turn, const ClassicRef& at) {
  ClassicGroup& group = at.group;
  if (group.state == completing_rebalance) fail_assignment(turn, at, ErrorCode::rebalance_in_progress);
  stop_waiting_for_sync(turn, at);
  const bool is_initial = group.state == empty;
  if (is_initial) start_initial_delay(turn, at);
  transition(group, preparing_rebalance, turn.now_ms);
  if (is_initial) return;
  if (all_members_joined(group)) return complete_join(turn, at);
  turn.shard.deadlines.set(join_key(at), turn.now_ms + rebalance_timeout_ms(group));
}

void maybe_complete_join(Turn& turn, const ClassicRef& at) {
  if (at.group.state != preparing_rebalance || at.group.previous_state == empty) return;
  if (all_members_joined(at.group)) complete_join(turn, at);
}

void complete_join(Turn& turn, const ClassicRef& at) {
  ClassicGroup& group = at.group;
  turn.shard.deadlines.cancel(join_key(at));
  drop_members_not_joined(turn, at);
  if (!elect_joined_leader(group) && !group.members.empty()) {
    // Only static members, and none has come: wait for them once more.
    turn.shard.deadlines.set(join_key(at), turn.now_ms + rebalance_timeout_ms(group));
    return;
  }
  begin_generation(group, turn.now_ms);
  if (group.state == empty) {
    log_info("group {}: generation {} is empty", at.id, group.generation);
    append(turn, {group_record(at.id, group, {})});
  } else {
    log_info("group {}: generation {} with {} members", at.id, group.generation, group.members.size());
    tell_new_generation(turn, at);
  }
}

void remove_and_rebalance(Turn& turn, const ClassicRef& at, const std::string& member_id) {
  ClassicGroup& group = at.group;
  if (ClassicMember* member = find_member(group, member_id)) {
    answer_join(turn, at, *member, join_error("", ErrorCode::unknown_member_id));
    answer_sync(turn, *member, {.error_code = static_cast<int16_t>(ErrorCode::unknown_member_id)});
  }
  remove_member(group, member_id);
  if (group.state == stable || group.state == completing_rebalance) {
    rebalance_or_complete(turn, at);
  } else if (group.state == preparing_rebalance && all_members_joined(group)) {
    complete_join(turn, at);
  }
}

void fail_assignment(Turn& turn, const ClassicRef& at, ErrorCode error) {
  MOLDAU_ASSERT(at.group.state == completing_rebalance);
  for (auto& [id, member] : at.group.members) {
    member.assignment.clear();
    if (answer_sync(turn, member, {.error_code = static_cast<int16_t>(error)})) restart_session(turn, at, member);
  }
}

void hand_out_assignment(Turn& turn, const ClassicRef& at, const std::map<std::string, Bytes>& assignments) {
  ClassicGroup& group = at.group;
  MOLDAU_ASSERT(group.state == completing_rebalance);
  for (auto& [id, member] : group.members) {
    const auto mine = assignments.find(id);
    member.assignment = mine == assignments.end() ? Bytes() : mine->second;
    protocol::SyncGroupResponse response;
    response.protocol_type = group.protocol_type;
    response.protocol_name = group.protocol_name;
    response.assignment = member.assignment;
    if (answer_sync(turn, member, std::move(response))) restart_session(turn, at, member);
  }
  transition(group, stable, turn.now_ms);
  ++turn.shard.completed_rebalances;
}

void note_synced(Turn& turn, const ClassicRef& at, const std::string& member_id) {
  at.group.pending_sync.erase(member_id);
  if (at.group.pending_sync.empty()) turn.shard.deadlines.cancel(sync_key(at));
}

void session_expired(Turn& turn, const std::string& group_id, const std::string& member_id) {
  ClassicGroup* group = find_classic(turn.shard, group_id);
  if (group == nullptr) return;
  const ClassicRef at{group_id, *group};
  if (group->pending_join.erase(member_id) > 0) {
    if (group->state == preparing_rebalance && all_members_joined(*group)) complete_join(turn, at);
    return;
  }
  const ClassicMember* member = find_member(*group, member_id);
  if (member == nullptr) return;
  const bool is_waiting = !member->is_new && (member->awaiting_join || member->awaiting_sync);
  if (is_waiting || MOLDAU_MUTANT("session-never-ends")) return;  // waiting on us is a sign of life; the answer starts a new session
  log_info("group {}: member {} sent no heartbeat in time and is out", group_id, member_id);
  remove_and_rebalance(turn, at, member_id);
}

void join_deadline_passed(Turn& turn, const std::string& group_id) {
  ClassicGroup* group = find_classic(turn.shard, group_id);
  if (group == nullptr || group->state != preparing_rebalance) return;
  const ClassicRef at{group_id, *group};
  if (group->previous_state == empty) {
    extend_initial_delay_or_complete(turn, at);
  } else {
    complete_join(turn, at);
  }
}

void sync_deadline_passed(Turn& turn, const std::string& group_id) {
  ClassicGroup* group = find_classic(turn.shard, group_id);
  if (group == nullptr || group->pending_sync.empty()) return;
  if (group->state != completing_rebalance && group->state != stable) return;
  const ClassicRef at{group_id, *group};
  const auto late = std::exchange(group->pending_sync, {});
  for (const std::string& id : late) {
    remove_member(*group, id);
    cancel_session(turn, at, id);
  }
  log_info("group {}: {} members did not sync in time and are out", group_id, late.size());
  prepare_rebalance(turn, at);
}

}  // namespace moldau::groups
