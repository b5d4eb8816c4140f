// ListGroups: every group that this node coordinates.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::ListGroupsResponse;

runtime::task<Reply> handle_list_groups(RequestContext& context) {
  MOLDAU_DECODE(ListGroupsRequest, request, context);
  ListGroupsResponse response;
  for (groups::Response& answer : co_await ask_all_coordinators(context, std::move(request))) {
    auto& part = std::get<ListGroupsResponse>(answer);
    if (part.error_code != 0) response.error_code = part.error_code;
    response.groups.insert(response.groups.end(), std::make_move_iterator(part.groups.begin()),
                           std::make_move_iterator(part.groups.end()));
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
