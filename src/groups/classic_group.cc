#include "groups/classic_group.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/mutant.h"
#include "groups/subscription.h"

namespace moldau::groups {
namespace {

void count_protocols(ClassicGroup& group, const ClassicMember& member, int32_t by) {
  for (const MemberProtocol& protocol : member.protocols) {
    const auto at = group.protocol_support.try_emplace(protocol.name, 0).first;
    at->second += by;
    if (at->second == 0) group.protocol_support.erase(at);
  }
}

bool supported_by_all(const ClassicGroup& group, const std::string& protocol) {
  const auto at = group.protocol_support.find(protocol);
  const int32_t support = at == group.protocol_support.end() ? 0 : at->second;
  return support == static_cast<int32_t>(group.members.size());  // everything, in a group that everybody has left
}

bool may_follow(ClassicState from, ClassicState to) {
  using enum ClassicState;
  switch (to) {
    case empty: return from == preparing_rebalance;
    case preparing_rebalance: return from == stable || from == completing_rebalance || from == empty;
    case completing_rebalance: return from == preparing_rebalance;
    case stable: return from == completing_rebalance;
    case dead: return true;
  }
  return false;
}

}  // namespace

const Bytes* ClassicMember::metadata(std::string_view protocol) const {
  const auto at = std::ranges::find(protocols, protocol, &MemberProtocol::name);
  return at == protocols.end() ? nullptr : &at->metadata;
}

std::string_view state_name(ClassicState state) {
  switch (state) {
    case ClassicState::empty: return "Empty";
    case ClassicState::preparing_rebalance: return "PreparingRebalance";
    case ClassicState::completing_rebalance: return "CompletingRebalance";
    case ClassicState::stable: return "Stable";
    case ClassicState::dead: return "Dead";
  }
  MOLDAU_UNREACHABLE("a classic group has one of five states");
}

ClassicMember* find_member(ClassicGroup& group, std::string_view member_id) {
  const auto at = group.members.find(member_id);
  return at == group.members.end() ? nullptr : &at->second;
}

bool is_leader(const ClassicGroup& group, std::string_view member_id) { return group.leader == member_id; }

bool uses_consumer_protocol(const ClassicGroup& group) { return group.protocol_type == "consumer"; }

bool is_simple(const ClassicGroup& group) {
  return !group.protocol_type && group.state == ClassicState::empty && group.pending_join.empty();
}

ErrorCode validate_member(const ClassicGroup& group, std::string_view member_id,
                          const std::optional<std::string>& instance_id) {
  if (instance_id) {
    const auto existing = group.static_members.find(*instance_id);
    if (existing == group.static_members.end()) return ErrorCode::unknown_member_id;
    if (existing->second != member_id && !MOLDAU_MUTANT("static-member-not-fenced")) return ErrorCode::fenced_instance_id;
  }
  return group.members.contains(member_id) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

bool supports_protocols(const ClassicGroup& group, std::string_view protocol_type,
                        const std::vector<MemberProtocol>& protocols) {
  if (group.state == ClassicState::empty) return !protocol_type.empty() && !protocols.empty();
  return group.protocol_type == protocol_type &&
         std::ranges::any_of(protocols, [&](const MemberProtocol& one) { return supported_by_all(group, one.name); });
}

ClassicMember& add_member(ClassicGroup& group, ClassicMember member, std::string_view protocol_type) {
  MOLDAU_ASSERT(!group.members.contains(member.id));
  if (group.members.empty()) group.protocol_type = protocol_type;
  MOLDAU_ASSERT(group.protocol_type == protocol_type);
  if (member.instance_id) {
    const bool is_first = group.static_members.try_emplace(*member.instance_id, member.id).second;
    MOLDAU_ASSERT_MSG(is_first, "a known instance id replaces its member, it does not add one");
  }
  if (!group.leader) group.leader = member.id;
  member.joined = group.next_joined++;
  count_protocols(group, member, 1);
  if (member.awaiting_join) ++group.awaiting_join;
  group.pending_join.erase(member.id);
  std::string id = member.id;
  return group.members.emplace(std::move(id), std::move(member)).first->second;
}

void remove_member(ClassicGroup& group, std::string_view member_id) {
  const std::string id(member_id);  // the argument may live in what is erased
  if (const auto at = group.members.find(id); at != group.members.end()) {
    count_protocols(group, at->second, -1);
    if (at->second.awaiting_join) --group.awaiting_join;
    if (at->second.instance_id) group.static_members.erase(*at->second.instance_id);
    group.members.erase(at);
  }
  if (is_leader(group, id)) {
    const auto first = std::ranges::min_element(group.members, {}, [](const auto& one) { return one.second.joined; });
    if (first == group.members.end()) {
      group.leader.reset();
    } else {
      group.leader = first->first;
    }
  }
  group.pending_join.erase(id);
  group.pending_sync.erase(id);
}

void set_protocols(ClassicGroup& group, ClassicMember& member, std::vector<MemberProtocol> protocols) {
  count_protocols(group, member, -1);
  member.protocols = std::move(protocols);
  count_protocols(group, member, 1);
}

std::optional<Parked> park_join(ClassicGroup& group, ClassicMember& member, std::optional<Parked> parked) {
  group.awaiting_join += (parked ? 1 : 0) - (member.awaiting_join ? 1 : 0);
  return std::exchange(member.awaiting_join, parked);
}

bool all_members_joined(const ClassicGroup& group) {
  return static_cast<int32_t>(group.members.size()) == group.awaiting_join && group.pending_join.empty();
}

int32_t rebalance_timeout_ms(const ClassicGroup& group) {
  int32_t longest = 0;
  for (const auto& [id, member] : group.members) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

bool elect_joined_leader(ClassicGroup& group) {
  if (!group.leader) return false;
  const ClassicMember* leader = find_member(group, *group.leader);
  MOLDAU_ASSERT_MSG(leader != nullptr, "the leader is a member");
  if (leader->awaiting_join) return true;
  const ClassicMember* first = nullptr;
  for (const auto& [id, member] : group.members) {
    if (member.awaiting_join && (first == nullptr || member.joined < first->joined)) first = &member;
  }
  if (first == nullptr) return false;
  group.leader = first->id;
  return true;
}

std::string select_protocol(const ClassicGroup& group) {
  MOLDAU_ASSERT(!group.members.empty());
  std::map<std::string_view, int32_t> votes;
  for (const auto& [id, member] : group.members) {
    const auto choice = std::ranges::find_if(
        member.protocols, [&](const MemberProtocol& one) { return supported_by_all(group, one.name); });
    if (choice != member.protocols.end()) ++votes[choice->name];
  }
  MOLDAU_ASSERT_MSG(!votes.empty(), "members without a common protocol are refused when they join");
  const auto leader = group.leader ? group.members.find(*group.leader) : group.members.begin();
  std::string_view best;
  int32_t most = 0;
  for (const MemberProtocol& protocol : (leader == group.members.end() ? group.members.begin() : leader)->second.protocols) {
    const auto at = votes.find(protocol.name);
    if (at != votes.end() && at->second > most) {
      most = at->second;
      best = protocol.name;
    }
  }
  return std::string(best);  // candidates are supported by all, so the leader lists each of them
}

void transition(ClassicGroup& group, ClassicState state, int64_t now_ms) {
  MOLDAU_ASSERT(may_follow(group.state, state));
  group.previous_state = group.state;
  group.state = state;
  group.state_timestamp_ms = now_ms;
}

void begin_generation(ClassicGroup& group, int64_t now_ms) {
  group.generation = static_cast<int32_t>(static_cast<uint32_t>(group.generation) + 1);  // wraps, as in Java
  if (group.members.empty()) {
    group.protocol_name.reset();
    refresh_subscribed_topics(group);
    transition(group, ClassicState::empty, now_ms);
  } else {
    group.protocol_name = select_protocol(group);
    refresh_subscribed_topics(group);
    transition(group, ClassicState::completing_rebalance, now_ms);
  }
  group.pending_sync.clear();
}

void refresh_subscribed_topics(ClassicGroup& group) {
  group.subscribed_topics.reset();
  if (!uses_consumer_protocol(group)) return;
  std::set<std::string> topics;
  for (const auto& [id, member] : group.members) {
    const Bytes* metadata = group.protocol_name ? member.metadata(*group.protocol_name) : nullptr;
    if (metadata == nullptr || !add_subscribed_topics(*metadata, topics)) return;
  }
  group.subscribed_topics = std::move(topics);
}

bool is_subscribed(const ClassicGroup& group, std::string_view topic) {
  if (!group.subscribed_topics) return uses_consumer_protocol(group);
  return group.subscribed_topics->contains(std::string(topic));
}

}  // namespace moldau::groups
