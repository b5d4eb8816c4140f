// SyncGroup: the leader hands in the assignment, the members get theirs.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_sync_group(RequestContext& context) {
  MOLDAU_DECODE(SyncGroupRequest, request, context);
  std::string group_id = request.group_id;
  auto answer = co_await ask_coordinator(context, std::move(group_id), std::move(request));
  if (answer) co_return make_reply(context, std::get<protocol::SyncGroupResponse>(*answer));
  protocol::SyncGroupResponse response;
  response.error_code = static_cast<int16_t>(answer.error());
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
