#include "groups/offset_fetch_shape.h"

#include "base/assert.h"

namespace moldau::groups {

std::vector<OffsetFetchGroup> offset_fetch_groups(const protocol::OffsetFetchRequest& request, int16_t version) {
  std::vector<OffsetFetchGroup> groups;
  if (version >= 8) {
    groups.reserve(request.groups.size());
    for (const auto& group : request.groups) groups.push_back({group, request.require_stable});
    return groups;
  }
  OffsetFetchGroup& only = groups.emplace_back();
  only.require_stable = request.require_stable;
  only.group.group_id = request.group_id;
  only.group.topics.reset();
  if (!request.topics) return groups;
  for (const auto& topic : *request.topics) {
    if (!only.group.topics) only.group.topics.emplace();
    auto& named = only.group.topics->emplace_back();
    named.name = topic.name;
    named.partition_indexes = topic.partition_indexes;
  }
  if (!only.group.topics) only.group.topics.emplace();
  return groups;
}

protocol::OffsetFetchResponse offset_fetch_response(
    std::vector<protocol::OffsetFetchResponse::OffsetFetchResponseGroup> groups, int16_t version) {
  protocol::OffsetFetchResponse response;
  if (version >= 8) {
    response.groups = std::move(groups);
    return response;
  }
  MOLDAU_ASSERT_MSG(groups.size() == 1, "before version 8 a request names one group");
  auto& group = groups.front();
  if (version >= 2) response.error_code = group.error_code;
  for (auto& topic : group.topics) {
    auto& named = response.topics.emplace_back();
    named.name = std::move(topic.name);
    for (auto& partition : topic.partitions) {
      auto& one = named.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      one.committed_offset = partition.committed_offset;
      one.committed_leader_epoch = partition.committed_leader_epoch;
      one.metadata = std::move(partition.metadata);
      one.error_code = partition.error_code;
    }
  }
  return response;
}

}  // namespace moldau::groups
