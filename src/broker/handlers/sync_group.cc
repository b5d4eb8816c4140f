// SyncGroup: the leader hands in the assignment, the members get theirs.
#include "broker/api_handlers.h"
#include "broker/group_request.h"

namespace moldau::broker {

runtime::task<Reply> handle_sync_group(RequestContext& context, Gate<ApiKey::sync_group> gate) {
  MOLDAU_DECODE(SyncGroupRequest, request, context);
  co_return co_await serve_member<protocol::SyncGroupResponse>(context, gate, std::move(request));
}

}  // namespace moldau::broker
