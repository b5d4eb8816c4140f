// IncrementalAlterConfigs (KIP-339): sets, deletes, appends to and subtracts from single settings.
#include "broker/alter_configs_request.h"
#include "broker/api_handlers.h"

namespace moldau::broker {

runtime::task<Reply> handle_incremental_alter_configs(RequestContext& context, Gate<ApiKey::incremental_alter_configs> gate) {
  MOLDAU_DECODE(IncrementalAlterConfigsRequest, request, context);
  co_return co_await serve_alter_configs(context, gate, std::move(request));
}

}  // namespace moldau::broker
