// ListConfigResources (KIP-1142): what has settings of its own.
#include "broker/api_handlers.h"
#include "broker/broker.h"
#include "broker/reply.h"
#include "metadata/config/describe_configs.h"

namespace moldau::broker {

runtime::task<Reply> handle_list_config_resources(RequestContext& context, Gate<ApiKey::list_config_resources> gate) {
  MOLDAU_DECODE(ListConfigResourcesRequest, request, context);
  if (!gate.may_on_cluster<security::Operation::describe_configs>()) {
    protocol::ListConfigResourcesResponse refused;
    refused.error_code = static_cast<int16_t>(protocol::ErrorCode::cluster_authorization_failed);
    co_return make_reply(context, refused);
  }
  co_return make_reply(context, metadata::list_config_resources(request, context.version, *context.shard.image));
}

}  // namespace moldau::broker
