// OffsetFetch, versions 1 to 10, for one group. What is asked for and not there has offset -1 and no error, also in a
// group that does not exist.

#include "groups/error_replies.h"
#include "groups/operations.h"

namespace moldau::groups {
namespace {

using protocol::OffsetFetchResponse;
using RequestedGroup = protocol::OffsetFetchRequest::OffsetFetchRequestGroup;
using AnsweredGroup = OffsetFetchResponse::OffsetFetchResponseGroup;
using AnsweredPartition = OffsetFetchResponse::OffsetFetchResponsePartitions;

AnsweredPartition no_offset(int32_t partition, ErrorCode error) {
  AnsweredPartition one;
  one.partition_index = partition;
  one.committed_offset = -1;
  one.metadata = "";
  one.error_code = static_cast<int16_t>(error);
  return one;
}

AnsweredPartition answered(int32_t partition, const CommittedOffset& offset) {
  AnsweredPartition one;
  one.partition_index = partition;
  one.committed_offset = offset.offset;
  one.committed_leader_epoch = offset.leader_epoch;
  one.metadata = offset.metadata;
  return one;
}

// Which of the two states a fetch reads: stable reads see the latest, and wait until it is committed.
const std::optional<CommittedOffset>& seen(const OffsetEntry& entry, bool require_stable) {
  return require_stable ? entry.latest : entry.committed();
}

bool is_of_topic(const CommittedOffset& offset, const Uuid& topic_id) {
  return offset.topic_id.is_zero() || topic_id.is_zero() || offset.topic_id == topic_id;
}

void fetch_named(const ShardState& shard, const OffsetFetchGroup& request, bool exists, AnsweredGroup& response) {
  const std::string& id = request.group.group_id;
  for (const auto& topic : *request.group.topics) {
    auto& out = response.topics.emplace_back();
    out.name = topic.name;
    out.topic_id = topic.topic_id;
    out.partitions.reserve(topic.partition_indexes.size());
    for (const int32_t partition : topic.partition_indexes) {
      const OffsetEntry* entry = exists ? shard.offsets.find(id, topic.name, partition) : nullptr;
      const CommittedOffset* offset = nullptr;
      if (entry != nullptr && seen(*entry, request.require_stable)) offset = &*seen(*entry, request.require_stable);
      if (request.require_stable && shard.offsets.has_pending(id, topic.name, partition)) {
        out.partitions.push_back(no_offset(partition, ErrorCode::unstable_offset_commit));
      } else if (offset == nullptr || !is_of_topic(*offset, topic.topic_id)) {
        out.partitions.push_back(no_offset(partition, ErrorCode::none));
      } else {
        out.partitions.push_back(answered(partition, *offset));
      }
    }
  }
}

void fetch_all(const ShardState& shard, const OffsetFetchGroup& request, bool exists, AnsweredGroup& response) {
  const std::string& id = request.group.group_id;
  const TopicOffsets* topics = exists ? shard.offsets.of_group(id) : nullptr;
  if (topics == nullptr) return;
  for (const auto& [topic, partitions] : *topics) {
    OffsetFetchResponse::OffsetFetchResponseTopics out;
    out.name = topic;
    for (const auto& [partition, entry] : partitions) {
      const auto& offset = seen(entry, request.require_stable);
      if (!offset) continue;
      const bool is_unstable = request.require_stable && shard.offsets.has_pending(id, topic, partition);
      out.partitions.push_back(is_unstable ? no_offset(partition, ErrorCode::unstable_offset_commit)
                                           : answered(partition, *offset));
    }
    if (!out.partitions.empty()) response.topics.push_back(std::move(out));
  }
}

}  // namespace

void offset_fetch(Turn& turn, const Call& call, const OffsetFetchGroup& request) {
  const Group* group = find_group(turn.shard, request.group.group_id);
  bool exists = group != nullptr && (request.require_stable || is_visible(*group));
  if (exists) {
    if (const auto* foreign = std::get_if<ForeignGroup>(&group->kind)) {
      const ErrorCode error = validate_fetch(*foreign, request.group.member_id, request.group.member_epoch);
      if (error == ErrorCode::group_id_not_found) {
        exists = false;
      } else if (error != ErrorCode::none) {
        return reply(turn, call.token, refuse_offset_fetch(request.group, call.version, error));
      }
    }
  }
  AnsweredGroup response;
  response.group_id = request.group.group_id;
  if (request.group.topics) {
    fetch_named(turn.shard, request, exists, response);
  } else {
    fetch_all(turn.shard, request, exists, response);
  }
  if (request.require_stable) {
    reply_when_settled(turn, call, std::move(response));
  } else {
    reply(turn, call.token, std::move(response));
  }
}

}  // namespace moldau::groups
