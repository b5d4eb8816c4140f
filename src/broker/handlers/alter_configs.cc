// AlterConfigs: replaces all settings of a resource. Old; IncrementalAlterConfigs changes single ones.
#include "broker/api_handlers.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_alter_configs(RequestContext& context) {
  MOLDAU_DECODE(AlterConfigsRequest, request, context);
  co_return make_reply(context, co_await context.broker.quorum->handle(std::move(request), context.version));
}

}  // namespace moldau::broker
