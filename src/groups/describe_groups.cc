// DescribeGroups, versions 0 to 6. The broker fills in authorized operations.

#include <fmt/format.h>

#include "groups/operations.h"

namespace moldau::groups {
namespace {

using protocol::DescribeGroupsResponse;

DescribeGroupsResponse::DescribedGroup describe(const std::string& id, const ClassicGroup& group) {
  DescribeGroupsResponse::DescribedGroup described;
  described.group_id = id;
  described.group_state = state_name(group.state);
  described.protocol_type = group.protocol_type.value_or("");
  // Which protocol, and with it the metadata, is known only when the group has settled.
  const bool is_stable = group.state == ClassicState::stable;
  if (is_stable) described.protocol_data = group.protocol_name.value_or("");
  described.members.reserve(group.members.size());
  for (const auto& [member_id, member] : group.members) {
    auto& one = described.members.emplace_back();
    one.member_id = member_id;
    one.group_instance_id = member.instance_id;
    one.client_id = member.client_id;
    one.client_host = member.client_host;
    one.member_assignment = member.assignment;
    const Bytes* metadata = is_stable ? member.metadata(described.protocol_data) : nullptr;
    if (metadata != nullptr) one.member_metadata = *metadata;
  }
  return described;
}

DescribeGroupsResponse::DescribedGroup not_found(const std::string& id, bool exists, int16_t version) {
  DescribeGroupsResponse::DescribedGroup described;
  described.group_id = id;
  described.group_state = state_name(ClassicState::dead);
  if (version >= 6) {
    described.error_code = static_cast<int16_t>(ErrorCode::group_id_not_found);
    described.error_message =
        exists ? fmt::format("Group {} is not a classic group.", id) : fmt::format("Group {} not found.", id);
  }
  return described;
}

}  // namespace

void describe_groups(Turn& turn, const Call& call, const protocol::DescribeGroupsRequest& request) {
  DescribeGroupsResponse response;
  response.groups.reserve(request.groups.size());
  for (const std::string& id : request.groups) {
    Group* group = find_group(turn.shard, id);
    const bool exists = group != nullptr && is_visible(*group);
    const ClassicGroup* classic = exists ? as_classic(group) : nullptr;
    response.groups.push_back(classic != nullptr ? describe(id, *classic) : not_found(id, exists, call.version));
  }
  reply(turn, call.token, std::move(response));
}

}  // namespace moldau::groups
