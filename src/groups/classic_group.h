// One classic group in memory: members, votes, generation. Data and the rules that hold within one group; no timers, no
// records, no requests: those are in rebalance.h and the files named after requests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "groups/coordinator_types.h"

namespace moldau::groups {

// A JoinGroup or SyncGroup that waits for its answer.
struct Parked {
  ReplyToken token = 0;
  int16_t version = 0;
};

struct MemberProtocol {
  std::string name;
  Bytes metadata;
  friend bool operator==(const MemberProtocol&, const MemberProtocol&) = default;
};

struct ClassicMember {
  std::string id;
  std::optional<std::string> instance_id;  // static members (KIP-345)
  std::string client_id;
  std::string client_host;
  int32_t rebalance_timeout_ms = 0;
  int32_t session_timeout_ms = 0;
  std::vector<MemberProtocol> protocols;  // in the member's order of preference, each name once
  Bytes assignment;
  bool is_new = false;  // has not been through a rebalance yet: waiting does not keep it alive
  uint64_t joined = 0;  // order of arrival
  std::optional<Parked> awaiting_join;
  std::optional<Parked> awaiting_sync;

  [[nodiscard]] const Bytes* metadata(std::string_view protocol) const;
};

struct ClassicGroup {
  ClassicState state = ClassicState::empty;
  ClassicState previous_state = ClassicState::empty;
  std::optional<int64_t> state_timestamp_ms;
  int32_t generation = 0;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::optional<std::string> leader;
  std::map<std::string, ClassicMember, std::less<>> members;
  std::map<std::string, std::string, std::less<>> static_members;  // instance id to member id
  std::map<std::string, int32_t, std::less<>> protocol_support;    // protocol name to members that list it
  std::set<std::string, std::less<>> pending_join;  // got MEMBER_ID_REQUIRED and have not come back yet
  std::set<std::string, std::less<>> pending_sync;  // in this generation, not synced yet
  int32_t awaiting_join = 0;                        // members whose JoinGroup is parked
  bool new_member_added = false;                    // since the initial delay was last looked at
  int32_t initial_delay_ms = 0;                     // of the initial rebalance: this round,
  int32_t initial_remaining_ms = 0;                 // and what may still be added
  std::optional<std::set<std::string>> subscribed_topics;  // null: not known
  uint64_t next_joined = 0;
};

[[nodiscard]] std::string_view state_name(ClassicState state);

[[nodiscard]] ClassicMember* find_member(ClassicGroup& group, std::string_view member_id);
[[nodiscard]] bool is_leader(const ClassicGroup& group, std::string_view member_id);
[[nodiscard]] bool uses_consumer_protocol(const ClassicGroup& group);
// Kafka's "simple group": offsets without members, kept by a consumer that assigns itself.
[[nodiscard]] bool is_simple(const ClassicGroup& group);

// none, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID.
[[nodiscard]] ErrorCode validate_member(const ClassicGroup& group, std::string_view member_id,
                                        const std::optional<std::string>& instance_id);
// Whether a member with this type and these protocols could be in the group with the others.
[[nodiscard]] bool supports_protocols(const ClassicGroup& group, std::string_view protocol_type,
                                      const std::vector<MemberProtocol>& protocols);

// Adds the member; the first of a group sets its protocol type, and becomes leader.
ClassicMember& add_member(ClassicGroup& group, ClassicMember member, std::string_view protocol_type);
// Removes member or pending member; a lost leader is replaced by the member that joined first.
void remove_member(ClassicGroup& group, std::string_view member_id);
void set_protocols(ClassicGroup& group, ClassicMember& member, std::vector<MemberProtocol> protocols);
// Parks a JoinGroup or clears it; gives the one that waited before.
std::optional<Parked> park_join(ClassicGroup& group, ClassicMember& member, std::optional<Parked> parked);

[[nodiscard]] bool all_members_joined(const ClassicGroup& group);
[[nodiscard]] int32_t rebalance_timeout_ms(const ClassicGroup& group);
// Keeps the leader if it has rejoined, else takes the first that has. False if nobody has.
bool elect_joined_leader(ClassicGroup& group);
// The protocol with most votes among those that all members support; on a tie the leader's preference decides.
[[nodiscard]] std::string select_protocol(const ClassicGroup& group);

void transition(ClassicGroup& group, ClassicState state, int64_t now_ms);
// Next generation: to completing_rebalance with the chosen protocol, or to empty.
void begin_generation(ClassicGroup& group, int64_t now_ms);
void refresh_subscribed_topics(ClassicGroup& group);
[[nodiscard]] bool is_subscribed(const ClassicGroup& group, std::string_view topic);

}  // namespace moldau::groups
