#include "groups/coordinator_shard.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/log.h"
#include "groups/error_replies.h"
#include "groups/operations.h"
#include "groups/rebalance.h"
#include "groups/shard_state.h"

namespace moldau::groups {
namespace {

void dispatch(Turn& turn, const Call& call, const Request& request) {
  struct {
    Turn& turn;
    const Call& call;
    void operator()(const protocol::JoinGroupRequest& one) const { join_group(turn, call, one); }
    void operator()(const protocol::SyncGroupRequest& one) const { sync_group(turn, call, one); }
    void operator()(const protocol::HeartbeatRequest& one) const { heartbeat(turn, call, one); }
    void operator()(const protocol::LeaveGroupRequest& one) const { leave_group(turn, call, one); }
    void operator()(const protocol::DescribeGroupsRequest& one) const { describe_groups(turn, call, one); }
    void operator()(const protocol::ListGroupsRequest& one) const { list_groups(turn, call, one); }
    void operator()(const protocol::DeleteGroupsRequest& one) const { delete_groups(turn, call, one); }
    void operator()(const protocol::OffsetCommitRequest& one) const { offset_commit(turn, call, one); }
    void operator()(const OffsetFetchGroup& one) const { offset_fetch(turn, call, one); }
    void operator()(const protocol::OffsetDeleteRequest& one) const { offset_delete(turn, call, one); }
  } handler{turn, call};
  std::visit(handler, request);
}

void on_deadline(Turn& turn, const DeadlineKey& key) {
  switch (key.kind) {
    case DeadlineKind::session: return session_expired(turn, key.group, key.member);
    case DeadlineKind::join: return join_deadline_passed(turn, key.group);
    case DeadlineKind::sync: return sync_deadline_passed(turn, key.group);
    case DeadlineKind::expire_offsets: return expire_offsets(turn);
  }
}

void refuse_everybody(Turn& turn, ErrorCode error) {
  ShardState& shard = turn.shard;
  for (auto& [id, group] : shard.groups) {
    ClassicGroup* classic = as_classic(group.get());
    if (classic == nullptr) continue;
    for (auto& [member_id, member] : classic->members) {
      answer_join(turn, {id, *classic}, member, join_error(member_id, error));
      answer_sync(turn, member, {.error_code = static_cast<int16_t>(error)});
    }
  }
  for (InFlight& in_flight : shard.in_flight) {
    for (WaitingReply& waiting : in_flight.replies) {
      reply(turn, waiting.reply.token, refuse(std::move(waiting.reply.response), waiting.version, error));
    }
  }
}

}  // namespace

CoordinatorShard::CoordinatorShard(GroupConfig config, std::function<uint64_t()> random)
    : state_(std::make_unique<ShardState>()) {
  state_->config = config;
  state_->random = std::move(random);
}

CoordinatorShard::~CoordinatorShard() = default;
CoordinatorShard::CoordinatorShard(CoordinatorShard&&) noexcept = default;
CoordinatorShard& CoordinatorShard::operator=(CoordinatorShard&&) noexcept = default;

bool CoordinatorShard::replay(ByteView key, std::optional<ByteView> value, int64_t producer_id) {
  MOLDAU_ASSERT_MSG(state_->phase == Phase::loading || producer_id >= 0,
                    "while running, the shard replays its own records itself");
  return apply_record(*state_, key, value, producer_id, nullptr);
}

void CoordinatorShard::replay_transaction_marker(int64_t producer_id, bool committed) {
  state_->offsets.end_transaction(producer_id, committed);
}

Output CoordinatorShard::finish_loading(int64_t now_ms) {
  MOLDAU_ASSERT(state_->phase == Phase::loading);
  state_->phase = Phase::running;
  Turn turn{*state_, now_ms};
  for (auto& [id, group] : state_->groups) {
    ClassicGroup* classic = as_classic(group.get());
    if (classic == nullptr) continue;
    const ClassicRef at{id, *classic};
    for (const auto& [member_id, member] : classic->members) restart_session(turn, at, member);
    if (static_cast<int64_t>(classic->members.size()) > state_->config.max_group_size) {
      log_info("group {}: loaded with more members than group.max.size allows, rebalancing", id);
      prepare_rebalance(turn, at);
    }
  }
  schedule_expiry(turn);
  return std::move(turn.output);
}

Output CoordinatorShard::unload() {
  Turn turn{*state_, 0};
  refuse_everybody(turn, ErrorCode::not_coordinator);
  state_->phase = Phase::unloaded;
  state_->groups.clear();
  state_->offsets = {};
  state_->deadlines.clear();
  state_->in_flight.clear();
  return std::move(turn.output);
}

Output CoordinatorShard::step(const Call& call, const Request& request, int64_t now_ms) {
  Turn turn{*state_, now_ms};
  if (state_->phase == Phase::running) {
    dispatch(turn, call, request);
  } else {
    const ErrorCode error = state_->phase == Phase::loading ? ErrorCode::coordinator_load_in_progress
                                                            : ErrorCode::not_coordinator;
    reply(turn, call.token, refuse(request, call.version, error));
  }
  return std::move(turn.output);
}

Output CoordinatorShard::on_committed(AppendId id, int64_t now_ms) {
  Turn turn{*state_, now_ms};
  settle_append(turn, id);
  return std::move(turn.output);
}

Output CoordinatorShard::on_append_failed(AppendId id, ErrorCode error, int64_t now_ms) {
  MOLDAU_ASSERT(error != ErrorCode::none);
  Turn turn{*state_, now_ms};
  revert_append(turn, id, error);
  return std::move(turn.output);
}

Output CoordinatorShard::on_commit_timed_out(AppendId id, int64_t now_ms) {
  Turn turn{*state_, now_ms};
  time_out_append(turn, id);
  return std::move(turn.output);
}

Output CoordinatorShard::on_topics_deleted(std::span<const DeletedTopic> topics, int64_t now_ms) {
  Turn turn{*state_, now_ms};
  if (state_->phase == Phase::running) delete_topics(turn, topics);
  return std::move(turn.output);
}

std::optional<int64_t> CoordinatorShard::next_deadline() const { return state_->deadlines.next(); }

Output CoordinatorShard::tick(int64_t now_ms) {
  Turn turn{*state_, now_ms};
  while (const auto due = state_->deadlines.pop_due(now_ms)) on_deadline(turn, *due);
  return std::move(turn.output);
}

void CoordinatorShard::set_config(const GroupConfig& config) { state_->config = config; }

GroupStats CoordinatorShard::stats() const {
  GroupStats stats;
  for (const auto& [id, group] : state_->groups) {
    if (const auto* classic = std::get_if<ClassicGroup>(&group->kind)) {
      ++stats.by_type[static_cast<std::size_t>(GroupType::classic)];
      ++stats.classic_by_state[static_cast<std::size_t>(classic->state)];
      stats.members += classic->members.size();
    } else {
      ++stats.by_type[static_cast<std::size_t>(std::get<ForeignGroup>(group->kind).type)];
    }
  }
  stats.offsets = state_->offsets.size();
  stats.completed_rebalances = state_->completed_rebalances;
  stats.committed_offsets = state_->committed_offsets;
  stats.expired_offsets = state_->expired_offsets;
  stats.unknown_records = state_->unknown_records;
  return stats;
}

void CoordinatorShard::for_each_offset(const std::function<void(const std::string&, const std::string&, int32_t,
                                                                const CommittedOffset&)>& visit) const {
  for (const auto& [group, topics] : state_->offsets.all()) {
    for (const auto& [topic, partitions] : topics) {
      for (const auto& [partition, entry] : partitions) {
        if (const auto& offset = entry.committed()) visit(group, topic, partition, *offset);
      }
    }
  }
}

}  // namespace moldau::groups
