// The rebalance of a classic group: who is waited for, when it ends, and what its members are told. Every change of state
// goes through here, whether a request, a deadline or a failed append brought it about.
#pragma once

#include <string>

#include "groups/shard_state.h"

namespace moldau::groups {

// A group with its id, for the functions below.
struct ClassicRef {
  const std::string& id;
  ClassicGroup& group;
};

// The member's session starts anew, with its own timeout or the given one.
void restart_session(Turn& turn, const ClassicRef& at, const ClassicMember& member);
void restart_session(Turn& turn, const ClassicRef& at, const ClassicMember& member, int64_t timeout_ms);
void cancel_session(Turn& turn, const ClassicRef& at, const std::string& member_id);

// Answer the parked request of a member, if there is one.
void answer_join(Turn& turn, const ClassicRef& at, ClassicMember& member, protocol::JoinGroupResponse response);
bool answer_sync(Turn& turn, ClassicMember& member, protocol::SyncGroupResponse response);
// Answers in the shape of the version.
void reply_join(Turn& turn, Parked to, protocol::JoinGroupResponse response);
void reply_sync(Turn& turn, Parked to, protocol::SyncGroupResponse response);

// What a member in the current generation is told; the leader with all members and their metadata.
[[nodiscard]] protocol::JoinGroupResponse joined_response(const ClassicGroup& group, const ClassicMember& member);
[[nodiscard]] protocol::JoinGroupResponse join_error(std::string_view member_id, ErrorCode error);

// Something changed that needs a new generation: starts the rebalance, or goes on with the one under way.
void rebalance_or_complete(Turn& turn, const ClassicRef& at);
void prepare_rebalance(Turn& turn, const ClassicRef& at);
// Ends the join phase if everybody is there; the initial rebalance ends by its delay alone.
void maybe_complete_join(Turn& turn, const ClassicRef& at);
void complete_join(Turn& turn, const ClassicRef& at);
// A member is gone for good: fails what it waits for and lets the others go on.
void remove_and_rebalance(Turn& turn, const ClassicRef& at, const std::string& member_id);

// All assignments are cleared and parked SyncGroups fail.
void fail_assignment(Turn& turn, const ClassicRef& at, ErrorCode error);
// Parked SyncGroups get their assignments and the group is stable.
void hand_out_assignment(Turn& turn, const ClassicRef& at, const std::map<std::string, Bytes>& assignments);
// The member has synced; with the last one, nobody is waited for any more.
void note_synced(Turn& turn, const ClassicRef& at, const std::string& member_id);

// Deadlines.
void session_expired(Turn& turn, const std::string& group_id, const std::string& member_id);
void join_deadline_passed(Turn& turn, const std::string& group_id);
void sync_deadline_passed(Turn& turn, const std::string& group_id);

}  // namespace moldau::groups
