// IncrementalAlterConfigs (KIP-339): sets, deletes, appends to and subtracts from single settings.
#include "broker/api_handlers.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_incremental_alter_configs(RequestContext& context) {
  MOLDAU_DECODE(IncrementalAlterConfigsRequest, request, context);
  co_return make_reply(context, co_await context.broker.quorum->handle(std::move(request), context.version));
}

}  // namespace moldau::broker
