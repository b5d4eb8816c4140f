// JoinGroup: enters a classic group, or takes part in its rebalance.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_join_group(RequestContext& context) {
  MOLDAU_DECODE(JoinGroupRequest, request, context);
  std::string group_id = request.group_id;
  auto answer = co_await ask_coordinator(context, std::move(group_id), std::move(request));
  if (answer) co_return make_reply(context, std::get<protocol::JoinGroupResponse>(*answer));
  protocol::JoinGroupResponse response;
  response.error_code = static_cast<int16_t>(answer.error());
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
