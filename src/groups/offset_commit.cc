// OffsetCommit, versions 2 to 10: from members, and from consumers that belong to no group's membership.

#include "base/mutant.h"
#include "groups/error_replies.h"
#include "groups/group_records.h"
#include "groups/java_text.h"
#include "groups/operations.h"
#include "groups/rebalance.h"

namespace moldau::groups {
namespace {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;

ErrorCode validate_classic(const ClassicGroup& group, const OffsetCommitRequest& request) {
  const int32_t generation = request.generation_id_or_member_epoch;
  const bool is_empty_group = group.state == ClassicState::empty;
  // No generation: an administrator, or a consumer that assigns itself.
  if (generation < 0 && is_empty_group) return ErrorCode::none;
  const bool claims_membership = generation >= 0 || !request.member_id.empty() || request.group_instance_id;
  if (!claims_membership) return ErrorCode::unknown_member_id;
  const ErrorCode error = validate_member(group, request.member_id, request.group_instance_id);
  if (error != ErrorCode::none) return error;
  if (generation != group.generation && !MOLDAU_MUTANT("commit-of-older-generation-taken")) return ErrorCode::illegal_generation;
  // The member has the new generation and no assignment for it yet: what it commits belongs to the old one.
  return group.state == ClassicState::completing_rebalance ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

ErrorCode validate(const Group* group, const OffsetCommitRequest& request, int16_t version) {
  if (group == nullptr) {
    if (request.generation_id_or_member_epoch < 0) return ErrorCode::none;
    return version >= 9 ? ErrorCode::group_id_not_found : ErrorCode::illegal_generation;
  }
  if (const auto* classic = std::get_if<ClassicGroup>(&group->kind)) return validate_classic(*classic, request);
  return validate_commit(std::get<ForeignGroup>(group->kind), request.member_id,
                         request.generation_id_or_member_epoch, version);
}

// When the client wants it to expire, -1: no wish. The sum wraps around, as Java's does.
int64_t expiry_of(int64_t now_ms, int64_t retention_ms) {
  if (retention_ms == -1) return -1;
  return static_cast<int64_t>(static_cast<uint64_t>(now_ms) + static_cast<uint64_t>(retention_ms));
}

void keep_session(Turn& turn, Group* found, const std::string& member_id) {
  ClassicGroup* group = as_classic(found);
  if (group == nullptr) return;
  if (group->state != ClassicState::stable && group->state != ClassicState::preparing_rebalance) return;
  if (const ClassicMember* member = find_member(*group, member_id)) {
    restart_session(turn, {found->id, *group}, *member);
  }
}

}  // namespace

void offset_commit(Turn& turn, const Call& call, const OffsetCommitRequest& request) {
  Group* group = find_group(turn.shard, request.group_id);
  const ErrorCode error = validate(group, request, call.version);
  if (error != ErrorCode::none) return reply(turn, call.token, refuse(request, call.version, error));
  keep_session(turn, group, request.member_id);

  OffsetCommitResponse response;
  std::vector<CoordinatorRecord> records;
  const int64_t expire_timestamp_ms = expiry_of(turn.now_ms, request.retention_time_ms);
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& one = answered.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      const std::string metadata = partition.committed_metadata.value_or("");
      if (java_length(metadata) > turn.shard.config.offset_metadata_max_length) {
        one.error_code = static_cast<int16_t>(ErrorCode::offset_metadata_too_large);
        continue;
      }
      records.push_back(offset_record({request.group_id, topic.name, partition.partition_index},
                                      {.offset = partition.committed_offset,
                                       .leader_epoch = partition.committed_leader_epoch,
                                       .metadata = metadata,
                                       .commit_timestamp_ms = turn.now_ms,
                                       .expire_timestamp_ms = expire_timestamp_ms,
                                       .topic_id = topic.topic_id}));
    }
  }
  turn.shard.committed_offsets += records.size();
  if (!records.empty()) append(turn, std::move(records));
  if (MOLDAU_MUTANT("commit-answered-before-append")) return reply(turn, call.token, std::move(response));
  reply_when_settled(turn, call, std::move(response));
}

}  // namespace moldau::groups
