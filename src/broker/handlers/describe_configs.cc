// DescribeConfigs: the settings of topics, brokers, groups and client metrics, with where each comes from (KIP-226).
#include "broker/api_handlers.h"
#include "broker/broker.h"
#include "broker/config_access.h"
#include "broker/reply.h"
#include "metadata/config/describe_configs.h"

namespace moldau::broker {

runtime::task<Reply> handle_describe_configs(RequestContext& context, Gate<ApiKey::describe_configs> gate) {
  MOLDAU_DECODE(DescribeConfigsRequest, request, context);
  const auto sifted = gate.sift<security::Operation::describe_configs>(
      request.resources, [](const auto& resource) { return owner_of_config(resource.resource_type, resource.resource_name); });
  const metadata::ConfigContext config{.node_id = context.broker.config.node_id.value(), .fixed = &context.broker.given_config,
                                       .log_level = context.broker.logger_level.name()};
  auto response = metadata::describe_configs(request, config, *context.shard.image);
  for (const auto& resource : sifted.denied) {
    auto& result = response.results.emplace_back();
    const protocol::ErrorCode error = config_denial(resource.resource_type);
    result.error_code = static_cast<int16_t>(error);
    result.error_message = protocol::error_message(error);
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
