// ListGroups: every group that this node coordinates.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::ListGroupsResponse;
using security::Operation;
using security::ResourceType;

runtime::task<Reply> handle_list_groups(RequestContext& context, Gate<ApiKey::list_groups> gate) {
  MOLDAU_DECODE(ListGroupsRequest, request, context);
  ListGroupsResponse response;
  for (groups::Response& answer : co_await ask_all_coordinators(context, std::move(request))) {
    auto& part = std::get<ListGroupsResponse>(answer);
    if (part.error_code != 0) response.error_code = part.error_code;
    response.groups.insert(response.groups.end(), std::make_move_iterator(part.groups.begin()),
                           std::make_move_iterator(part.groups.end()));
  }
  // Who may not describe the cluster sees the groups that he may describe.
  if (!gate.may_on_cluster<Operation::describe>(false))
    std::erase_if(response.groups, [&](const auto& group) { return !gate.may<Operation::describe, ResourceType::group>(group.group_id, false); });
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
