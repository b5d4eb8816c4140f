// AlterConfigs: replaces all settings of a resource. Old; IncrementalAlterConfigs changes single ones.
#include "broker/alter_configs_request.h"
#include "broker/api_handlers.h"

namespace moldau::broker {

runtime::task<Reply> handle_alter_configs(RequestContext& context, Gate<ApiKey::alter_configs> gate) {
  MOLDAU_DECODE(AlterConfigsRequest, request, context);
  co_return co_await serve_alter_configs(context, gate, std::move(request));
}

}  // namespace moldau::broker
