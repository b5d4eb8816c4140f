// DescribeGroups: state and members of classic groups. Each group is asked of its own coordinator.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::DescribeGroupsResponse;
using security::Operation;
using security::ResourceType;

runtime::task<Reply> handle_describe_groups(RequestContext& context, Gate<ApiKey::describe_groups> gate) {
  MOLDAU_DECODE(DescribeGroupsRequest, request, context);
  DescribeGroupsResponse response;
  const auto refuse = [&response](const std::string& group_id, protocol::ErrorCode error) {
    auto& group = response.groups.emplace_back();
    group.group_id = group_id;
    group.error_code = static_cast<int16_t>(error);
  };
  for (const std::string& group_id : request.groups)  // Kafka's order
    if (!gate.may<Operation::describe, ResourceType::group>(group_id)) refuse(group_id, protocol::ErrorCode::group_authorization_failed);
  for (const std::string& group_id : request.groups) {
    const auto access = gate.may<Operation::describe, ResourceType::group>(group_id, false);
    if (!access) continue;
    protocol::DescribeGroupsRequest one;
    one.groups = {group_id};
    one.include_authorized_operations = request.include_authorized_operations;
    auto answer = co_await ask_coordinator(context, *access, std::move(one));
    if (!answer) {
      refuse(group_id, answer.error());
      continue;
    }
    for (auto& group : std::get<DescribeGroupsResponse>(*answer).groups) {
      if (request.include_authorized_operations && group.error_code == 0)
        group.authorized_operations = gate.operations_on(ResourceType::group, group_id);
      response.groups.push_back(std::move(group));
    }
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
