// One function for each request: it answers into the turn, now or later. The request has passed step(): the shard is
// running. Each lives in the file of its name.
#pragma once

#include <span>

#include "groups/shard_state.h"

namespace moldau::groups {

void join_group(Turn& turn, const Call& call, const protocol::JoinGroupRequest& request);
void sync_group(Turn& turn, const Call& call, const protocol::SyncGroupRequest& request);
void heartbeat(Turn& turn, const Call& call, const protocol::HeartbeatRequest& request);
void leave_group(Turn& turn, const Call& call, const protocol::LeaveGroupRequest& request);
void describe_groups(Turn& turn, const Call& call, const protocol::DescribeGroupsRequest& request);
void list_groups(Turn& turn, const Call& call, const protocol::ListGroupsRequest& request);
void delete_groups(Turn& turn, const Call& call, const protocol::DeleteGroupsRequest& request);
void offset_commit(Turn& turn, const Call& call, const protocol::OffsetCommitRequest& request);
void offset_fetch(Turn& turn, const Call& call, const OffsetFetchGroup& request);
void offset_delete(Turn& turn, const Call& call, const protocol::OffsetDeleteRequest& request);

// The sweep over all groups: offsets past their retention, groups that have nothing left (KIP-211).
void expire_offsets(Turn& turn);
void schedule_expiry(Turn& turn);
void delete_topics(Turn& turn, std::span<const DeletedTopic> topics);

// Tombstones for all that a group has; one append for each thousand of them.
void add_offset_tombstones(ShardState& shard, const std::string& group_id, std::vector<CoordinatorRecord>& records);
void add_group_tombstones(const Group& group, std::vector<CoordinatorRecord>& records);
void append_in_batches(Turn& turn, std::vector<CoordinatorRecord> records);

// How appends end.
void settle_append(Turn& turn, AppendId id);
void revert_append(Turn& turn, AppendId id, ErrorCode error);
void time_out_append(Turn& turn, AppendId id);
// A static member's replacement was stored, or not.
void finish_static_replacement(Turn& turn, StaticMemberReplaced& replaced, ErrorCode error);

// Whether readers may see the group: its creation is committed.
[[nodiscard]] inline bool is_visible(const Group& group) { return group.created_by == 0; }

}  // namespace moldau::groups
