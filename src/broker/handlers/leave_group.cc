// LeaveGroup: members leave a classic group (in batches since KIP-345).
#include "broker/api_handlers.h"
#include "broker/group_request.h"

namespace moldau::broker {

runtime::task<Reply> handle_leave_group(RequestContext& context, Gate<ApiKey::leave_group> gate) {
  MOLDAU_DECODE(LeaveGroupRequest, request, context);
  co_return co_await serve_member<protocol::LeaveGroupResponse>(context, gate, std::move(request));
}

}  // namespace moldau::broker
