// Heartbeat: a member of a classic group says that it lives.
#include "broker/api_handlers.h"
#include "broker/group_request.h"

namespace moldau::broker {

runtime::task<Reply> handle_heartbeat(RequestContext& context, Gate<ApiKey::heartbeat> gate) {
  MOLDAU_DECODE(HeartbeatRequest, request, context);
  co_return co_await serve_member<protocol::HeartbeatResponse>(context, gate, std::move(request));
}

}  // namespace moldau::broker
