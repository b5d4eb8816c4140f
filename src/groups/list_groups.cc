// ListGroups, versions 0 to 5: filters by state (KIP-518) and type (KIP-848). The broker joins the shards' answers.

#include <algorithm>
#include <cctype>

#include "groups/operations.h"

namespace moldau::groups {
namespace {

using protocol::ListGroupsResponse;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string trimmed(std::string_view text) {
  // Java's String.trim(): everything up to the space.
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return std::string(text);
}

bool names(const std::vector<std::string>& filter, std::string_view name) {
  return filter.empty() || std::ranges::find(filter, lower_case(name)) != filter.end();
}

ListGroupsResponse::ListedGroup listed(const Group& group) {
  ListGroupsResponse::ListedGroup one;
  one.group_id = group.id;
  if (const auto* classic = std::get_if<ClassicGroup>(&group.kind)) {
    one.protocol_type = classic->protocol_type.value_or("");
    one.group_state = state_name(classic->state);
    one.group_type = type_name(GroupType::classic);
  } else {
    const auto& foreign = std::get<ForeignGroup>(group.kind);
    one.protocol_type = type_name(foreign.type);  // for these kinds Kafka names both alike
    one.group_state = state_name(foreign);
    one.group_type = type_name(foreign.type);
  }
  return one;
}

}  // namespace

void list_groups(Turn& turn, const Call& call, const protocol::ListGroupsRequest& request) {
  std::vector<std::string> states;
  for (const std::string& state : request.states_filter) states.push_back(trimmed(lower_case(state)));
  std::vector<std::string> types;
  for (const std::string& type : request.types_filter) types.push_back(lower_case(type));
  ListGroupsResponse response;
  for (const auto& [id, group] : turn.shard.groups) {
    if (!is_visible(*group)) continue;
    auto one = listed(*group);
    if (names(states, one.group_state) && names(types, one.group_type)) response.groups.push_back(std::move(one));
  }
  reply(turn, call.token, std::move(response));
}

}  // namespace moldau::groups
