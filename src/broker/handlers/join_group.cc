// JoinGroup: enters a classic group, or takes part in its rebalance.
#include "broker/api_handlers.h"
#include "broker/group_request.h"

namespace moldau::broker {

runtime::task<Reply> handle_join_group(RequestContext& context, Gate<ApiKey::join_group> gate) {
  MOLDAU_DECODE(JoinGroupRequest, request, context);
  co_return co_await serve_member<protocol::JoinGroupResponse>(context, gate, std::move(request));
}

}  // namespace moldau::broker
