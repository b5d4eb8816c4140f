// How an append ends: committed, never written, or written and not replicated in time.

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "groups/error_replies.h"
#include "groups/operations.h"
#include "groups/rebalance.h"

namespace moldau::groups {
namespace {

void continue_with(Turn& turn, Continuation then, ErrorCode error) {
  if (auto* replaced = std::get_if<StaticMemberReplaced>(&then)) {
    finish_static_replacement(turn, *replaced, error);
  } else if (auto* stored = std::get_if<AssignmentStored>(&then)) {
    ClassicGroup* group = find_classic(turn.shard, stored->group);
    if (group == nullptr || group->state != ClassicState::completing_rebalance) return;
    if (group->generation != stored->generation) return;
    const ClassicRef at{stored->group, *group};
    if (error == ErrorCode::none) {
      hand_out_assignment(turn, at, stored->assignments);
    } else {
      log_warning("group {}: its assignment could not be stored (error {})", stored->group, static_cast<int>(error));
      fail_assignment(turn, at, error);
      rebalance_or_complete(turn, at);
    }
  }
}

void fail_replies(Turn& turn, std::vector<WaitingReply> replies, ErrorCode error) {
  for (WaitingReply& waiting : replies) {
    reply(turn, waiting.reply.token, refuse(std::move(waiting.reply.response), waiting.version, error));
  }
}

// Offsets that later appends bring to a group whose making failed make it anew, as they would on replay.
void keep_for_offsets(ShardState& shard, const std::string& id) {
  if (!shard.offsets.has_latest(id)) return;
  Group& group = create_classic(shard, id, std::nullopt);
  const auto brings = [&](const InFlight& one) { return std::ranges::find(one.offsets, id, &OffsetKey::group) != one.offsets.end(); };
  const auto next = std::ranges::find_if(shard.in_flight, brings);
  if (next == shard.in_flight.end()) return;
  group.created_by = next->id;
  next->created_groups.push_back(id);
}

// A group whose making failed: whoever waits in it is told.
void drop_group(Turn& turn, const std::string& id, AppendId made_by, ErrorCode error) {
  Group* found = find_group(turn.shard, id);
  if (found == nullptr || found->created_by != made_by) return;
  if (ClassicGroup* group = as_classic(found)) {
    for (auto& [member_id, member] : group->members) {
      answer_join(turn, {id, *group}, member, join_error("", error));
      answer_sync(turn, member, {.error_code = static_cast<int16_t>(error)});
    }
  }
  turn.shard.deadlines.cancel_group(id);
  turn.shard.groups.erase(id);
  keep_for_offsets(turn.shard, id);
}

std::deque<InFlight>::iterator find_append(ShardState& shard, AppendId id) {
  return std::ranges::find(shard.in_flight, id, &InFlight::id);
}

}  // namespace

void settle_append(Turn& turn, AppendId id) {
  ShardState& shard = turn.shard;
  const auto at = find_append(shard, id);
  if (at == shard.in_flight.end()) return;
  InFlight done = std::move(*at);
  shard.in_flight.erase(at);
  for (const OffsetKey& key : done.offsets) shard.offsets.settle(key, id);
  for (const std::string& group_id : done.created_groups) {
    Group* group = find_group(shard, group_id);
    if (group != nullptr && group->created_by == id) group->created_by = 0;
  }
  continue_with(turn, std::move(done.then), ErrorCode::none);
  for (WaitingReply& waiting : done.replies) turn.output.replies.push_back(std::move(waiting.reply));
}

void revert_append(Turn& turn, AppendId id, ErrorCode error) {
  ShardState& shard = turn.shard;
  const auto at = find_append(shard, id);
  if (at == shard.in_flight.end()) return;
  InFlight failed = std::move(*at);
  shard.in_flight.erase(at);
  const ErrorCode told = storing_failed(error);
  for (const OffsetKey& key : failed.offsets)
    if (!MOLDAU_MUTANT("failed-commit-stays")) shard.offsets.revert(key, id);
  for (DroppedPending& dropped : failed.dropped_pending) shard.offsets.restore(std::move(dropped));
  for (const std::string& group_id : failed.created_groups) drop_group(turn, group_id, id, told);
  for (auto& removed : failed.removed_groups) {
    auto& place = shard.groups[removed->id];
    // What a later append put in its place stays, but for the same group with some of its records gone.
    const bool is_remnant = place && as_classic(place.get()) == nullptr && as_classic(removed.get()) == nullptr;
    if (!place || is_remnant) place = std::move(removed);
  }
  continue_with(turn, std::move(failed.then), told);
  fail_replies(turn, std::move(failed.replies), told);
}

void time_out_append(Turn& turn, AppendId id) {
  const auto at = find_append(turn.shard, id);
  if (at == turn.shard.in_flight.end()) return;
  // The records are in the log and stay in effect; only those who wait are told that it is not sure yet.
  auto then = std::exchange(at->then, {});
  auto replies = std::exchange(at->replies, {});
  const ErrorCode told = storing_failed(ErrorCode::request_timed_out);
  continue_with(turn, std::move(then), told);
  fail_replies(turn, std::move(replies), told);
}

}  // namespace moldau::groups
