// DescribeGroups: state and members of classic groups. Each group is asked of its own coordinator.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::DescribeGroupsResponse;

runtime::task<Reply> handle_describe_groups(RequestContext& context) {
  MOLDAU_DECODE(DescribeGroupsRequest, request, context);
  DescribeGroupsResponse response;
  for (const std::string& group_id : request.groups) {
    protocol::DescribeGroupsRequest one;
    one.groups = {group_id};
    one.include_authorized_operations = request.include_authorized_operations;
    auto answer = co_await ask_coordinator(context, group_id, std::move(one));
    if (answer) {
      for (auto& group : std::get<DescribeGroupsResponse>(*answer).groups) response.groups.push_back(std::move(group));
    } else {
      auto& group = response.groups.emplace_back();
      group.group_id = group_id;
      group.error_code = static_cast<int16_t>(answer.error());
    }
    auto& group = response.groups.back();
    if (request.include_authorized_operations && group.error_code == 0) group.authorized_operations = all_group_operations;
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
