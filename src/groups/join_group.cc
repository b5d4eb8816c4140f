// JoinGroup, versions 0 to 9: who may join, under which id, and whether that starts a rebalance.

#include <algorithm>
#include <unordered_set>

#include "base/log.h"
#include "groups/group_records.h"
#include "groups/operations.h"
#include "groups/rebalance.h"

namespace moldau::groups {
namespace {

using protocol::JoinGroupRequest;
using enum ClassicState;

// What one JoinGroup brings, in the form in which the group keeps it.
struct Joining {
  const Call& call;
  const JoinGroupRequest& request;
  std::vector<MemberProtocol> protocols;
  int32_t rebalance_timeout_ms = 0;

  [[nodiscard]] Parked parked() const { return {call.token, call.version}; }
};

std::vector<MemberProtocol> protocols_of(const JoinGroupRequest& request) {
  std::vector<MemberProtocol> protocols;
  std::unordered_set<std::string_view> seen;
  for (const auto& one : request.protocols) {
    if (seen.insert(one.name).second) protocols.push_back({one.name, one.metadata});
  }
  return protocols;
}

void refuse_join(Turn& turn, const Joining& joining, std::string_view member_id, ErrorCode error) {
  reply_join(turn, joining.parked(), join_error(member_id, error));
}

bool has_room(const ShardState& shard, ClassicGroup& group, std::string_view member_id) {
  const ClassicMember* member = find_member(group, member_id);
  switch (group.state) {
    case empty:
    case dead: return true;
    case preparing_rebalance:
      return (member != nullptr && member->awaiting_join) || group.awaiting_join < shard.config.max_group_size;
    case completing_rebalance:
    case stable:
      return member != nullptr || static_cast<int64_t>(group.members.size()) < shard.config.max_group_size;
  }
  return false;
}

// Takes the request's protocols and timeouts over and parks it. A request that the member left waiting on another
// connection is sent to join again.
void update_member(Turn& turn, const ClassicRef& at, ClassicMember& member, const Joining& joining) {
  set_protocols(at.group, member, joining.protocols);
  member.rebalance_timeout_ms = joining.rebalance_timeout_ms;
  member.session_timeout_ms = joining.request.session_timeout_ms;
  if (const auto displaced = park_join(at.group, member, joining.parked())) {
    reply_join(turn, *displaced, join_error(member.id, ErrorCode::rebalance_in_progress));
  }
}

void add_and_rebalance(Turn& turn, const ClassicRef& at, const Joining& joining, const std::string& member_id) {
  ClassicMember member;
  member.id = member_id;
  member.instance_id = joining.request.group_instance_id;
  member.client_id = joining.call.client_id;
  member.client_host = joining.call.client_host;
  member.rebalance_timeout_ms = joining.rebalance_timeout_ms;
  member.session_timeout_ms = joining.request.session_timeout_ms;
  member.protocols = joining.protocols;
  member.is_new = true;
  member.awaiting_join = joining.parked();
  if (at.group.state == preparing_rebalance && at.group.previous_state == empty) at.group.new_member_added = true;
  const ClassicMember& added = add_member(at.group, std::move(member), joining.request.protocol_type);
  // It has no heartbeat to send until its first generation; a client that went away must still be noticed some day.
  restart_session(turn, at, added, turn.shard.config.new_member_join_timeout_ms);
  rebalance_or_complete(turn, at);
}

// A static member that lost its id (it restarted): the new id takes the old one's place (KIP-345). In a stable group
// with the same protocol there is no rebalance; the leader of version 9 is told not to assign (KIP-814).
void replace_static_member(Turn& turn, const ClassicRef& at, const Joining& joining, const std::string& old_id,
                           const std::string& new_id) {
  ClassicGroup& group = at.group;
  StaticMemberReplaced replaced{.group = at.id,
                                .instance_id = *joining.request.group_instance_id,
                                .old_member_id = old_id,
                                .new_member_id = new_id,
                                .old_leader = group.leader};
  const bool was_leader = is_leader(group, old_id);
  {
    ClassicMember& old = group.members.at(old_id);
    answer_join(turn, at, old, join_error(old_id, ErrorCode::fenced_instance_id));
    answer_sync(turn, old, {.error_code = static_cast<int16_t>(ErrorCode::fenced_instance_id)});
    replaced.old_protocols = old.protocols;
    replaced.old_rebalance_timeout_ms = old.rebalance_timeout_ms;
    replaced.old_session_timeout_ms = old.session_timeout_ms;
  }
  auto node = group.members.extract(old_id);
  node.key() = new_id;
  node.mapped().id = new_id;
  node.mapped().is_new = false;
  ClassicMember& member = group.members.insert(std::move(node)).position->second;
  group.static_members[replaced.instance_id] = new_id;
  if (was_leader) group.leader = new_id;
  if (group.pending_sync.erase(old_id) > 0) group.pending_sync.insert(new_id);
  cancel_session(turn, at, old_id);
  restart_session(turn, at, member);
  update_member(turn, at, member, joining);

  if (group.state == completing_rebalance) return prepare_rebalance(turn, at);
  if (group.state != stable) return maybe_complete_join(turn, at);
  if (group.protocol_name != select_protocol(group)) return rebalance_or_complete(turn, at);
  std::map<std::string, Bytes> assignments;
  for (const auto& [id, one] : group.members) assignments[id] = one.assignment;
  append(turn, {group_record(at.id, group, assignments)}).then = std::move(replaced);
}

void join_new(Turn& turn, const ClassicRef& at, const Joining& joining) {
  ClassicGroup& group = at.group;
  const JoinGroupRequest& request = joining.request;
  if (!supports_protocols(group, request.protocol_type, joining.protocols)) {
    return refuse_join(turn, joining, "", ErrorCode::inconsistent_group_protocol);
  }
  const std::string member_id =
      new_member_id(turn.shard, request.group_instance_id ? *request.group_instance_id : joining.call.client_id);
  if (request.group_instance_id) {
    const auto existing = group.static_members.find(*request.group_instance_id);
    if (existing == group.static_members.end()) return add_and_rebalance(turn, at, joining, member_id);
    const std::string old_id = existing->second;
    return replace_static_member(turn, at, joining, old_id, member_id);
  }
  if (joining.call.version < 4) return add_and_rebalance(turn, at, joining, member_id);
  // From version 4 on a client comes back with the id that it is given, so that a lost answer leaves no ghost (KIP-394).
  group.pending_join.insert(member_id);
  turn.shard.deadlines.set({DeadlineKind::session, at.id, member_id}, turn.now_ms + request.session_timeout_ms);
  refuse_join(turn, joining, member_id, ErrorCode::member_id_required);
}

void rejoin_completing(Turn& turn, const ClassicRef& at, const Joining& joining, ClassicMember& member) {
  if (member.protocols != joining.protocols) {
    update_member(turn, at, member, joining);
    return rebalance_or_complete(turn, at);
  }
  // The answer was lost on its way: give it again.
  reply_join(turn, joining.parked(), joined_response(at.group, member));
}

void rejoin_stable(Turn& turn, const ClassicRef& at, const Joining& joining, ClassicMember& member) {
  // The leader rejoins because something that only it sees has changed, followers only with other metadata.
  if (is_leader(at.group, member.id) || member.protocols != joining.protocols) {
    update_member(turn, at, member, joining);
    return rebalance_or_complete(turn, at);
  }
  reply_join(turn, joining.parked(), joined_response(at.group, member));
}

void join_existing(Turn& turn, const ClassicRef& at, const Joining& joining) {
  ClassicGroup& group = at.group;
  const JoinGroupRequest& request = joining.request;
  const std::string& member_id = request.member_id;
  if (!supports_protocols(group, request.protocol_type, joining.protocols)) {
    return refuse_join(turn, joining, member_id, ErrorCode::inconsistent_group_protocol);
  }
  if (group.pending_join.contains(member_id)) {
    if (request.group_instance_id) return refuse_join(turn, joining, "", ErrorCode::unknown_server_error);
    return add_and_rebalance(turn, at, joining, member_id);
  }
  const ErrorCode error = validate_member(group, member_id, request.group_instance_id);
  if (error != ErrorCode::none) return refuse_join(turn, joining, member_id, error);
  ClassicMember& member = *find_member(group, member_id);
  switch (group.state) {
    case preparing_rebalance:
      update_member(turn, at, member, joining);
      return rebalance_or_complete(turn, at);
    case completing_rebalance: return rejoin_completing(turn, at, joining, member);
    case stable: return rejoin_stable(turn, at, joining, member);
    case empty:
    case dead: return refuse_join(turn, joining, member_id, ErrorCode::unknown_member_id);
  }
}

// A classic group under this id: as it is, or new, or in the place of an empty group of another kind. Null after a
// refusal.
Group* find_or_create(Turn& turn, const Joining& joining) {
  const std::string& id = joining.request.group_id;
  Group* group = find_group(turn.shard, id);
  if (as_classic(group) != nullptr) return group;
  const bool is_known_member = !joining.request.member_id.empty();
  std::vector<CoordinatorRecord> records;
  if (group != nullptr) {
    const auto& foreign = std::get<ForeignGroup>(group->kind);
    if (foreign.type == GroupType::share || !is_empty(foreign)) {
      refuse_join(turn, joining, "", ErrorCode::inconsistent_group_protocol);
      return nullptr;
    }
    for (const Bytes& key : foreign.keys) records.push_back({key, std::nullopt});
  }
  if (is_known_member) {
    refuse_join(turn, joining, joining.request.member_id, ErrorCode::unknown_member_id);
    return nullptr;
  }
  ClassicGroup made;
  made.state_timestamp_ms = turn.now_ms;
  records.push_back(new_group_record(id, made));
  InFlight& in_flight = append(turn, std::move(records));
  Group& created = create_classic(turn.shard, id, turn.now_ms);
  created.created_by = in_flight.id;
  in_flight.created_groups.push_back(id);
  return &created;
}

}  // namespace

void join_group(Turn& turn, const Call& call, const JoinGroupRequest& request) {
  Joining joining{.call = call,
                  .request = request,
                  .protocols = protocols_of(request),
                  .rebalance_timeout_ms = call.version == 0 ? request.session_timeout_ms : request.rebalance_timeout_ms};
  const GroupConfig& config = turn.shard.config;
  if (request.group_id.empty()) return refuse_join(turn, joining, request.member_id, ErrorCode::invalid_group_id);
  if (request.session_timeout_ms < config.min_session_timeout_ms ||
      request.session_timeout_ms > config.max_session_timeout_ms) {
    return refuse_join(turn, joining, request.member_id, ErrorCode::invalid_session_timeout);
  }
  Group* group = find_or_create(turn, joining);
  if (group == nullptr) return;
  const ClassicRef at{group->id, std::get<ClassicGroup>(group->kind)};
  if (!has_room(turn.shard, at.group, request.member_id)) {
    remove_member(at.group, request.member_id);
    return refuse_join(turn, joining, "", ErrorCode::group_max_size_reached);
  }
  if (request.member_id.empty()) {
    join_new(turn, at, joining);
  } else {
    join_existing(turn, at, joining);
  }
}

void finish_static_replacement(Turn& turn, StaticMemberReplaced& replaced, ErrorCode error) {
  ClassicGroup* group = find_classic(turn.shard, replaced.group);
  if (group == nullptr) return;
  const ClassicRef at{replaced.group, *group};
  ClassicMember* member = find_member(*group, replaced.new_member_id);
  if (member == nullptr) return;
  protocol::JoinGroupResponse response = joined_response(*group, *member);
  const int16_t version = member->awaiting_join ? member->awaiting_join->version : int16_t{0};
  if (error == ErrorCode::none) {
    if (version >= 9) {
      response.skip_assignment = is_leader(*group, member->id);
    } else {
      // Before version 9 a leader cannot be told to leave the assignment alone: it is led to think it is a follower.
      response.leader = replaced.old_leader.value_or("");
      response.members.clear();
    }
    return answer_join(turn, at, *member, std::move(response));
  }
  // Not stored: the old id lives on.
  response.members.clear();
  response.member_id = "";
  response.leader = replaced.old_leader.value_or("");
  response.error_code = static_cast<int16_t>(error);
  answer_join(turn, at, *member, std::move(response));
  set_protocols(*group, *member, std::move(replaced.old_protocols));
  member->rebalance_timeout_ms = replaced.old_rebalance_timeout_ms;
  member->session_timeout_ms = replaced.old_session_timeout_ms;
  cancel_session(turn, at, replaced.new_member_id);
  auto node = group->members.extract(replaced.new_member_id);
  node.key() = replaced.old_member_id;
  node.mapped().id = replaced.old_member_id;
  const ClassicMember& old = group->members.insert(std::move(node)).position->second;
  group->static_members[replaced.instance_id] = replaced.old_member_id;
  if (is_leader(*group, replaced.new_member_id)) group->leader = replaced.old_member_id;
  if (group->pending_sync.erase(replaced.new_member_id) > 0) group->pending_sync.insert(replaced.old_member_id);
  restart_session(turn, at, old);
}

}  // namespace moldau::groups
