// Heartbeat: a member of a classic group says that it lives.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_heartbeat(RequestContext& context) {
  MOLDAU_DECODE(HeartbeatRequest, request, context);
  std::string group_id = request.group_id;
  auto answer = co_await ask_coordinator(context, std::move(group_id), std::move(request));
  if (answer) co_return make_reply(context, std::get<protocol::HeartbeatResponse>(*answer));
  protocol::HeartbeatResponse response;
  response.error_code = static_cast<int16_t>(answer.error());
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
