// DescribeConfigs: the settings of topics, brokers, groups and client metrics, with where each comes from (KIP-226).
#include "broker/api_handlers.h"
#include "broker/broker.h"
#include "broker/reply.h"
#include "metadata/config/describe_configs.h"

namespace moldau::broker {

runtime::task<Reply> handle_describe_configs(RequestContext& context) {
  MOLDAU_DECODE(DescribeConfigsRequest, request, context);
  const metadata::ConfigContext config{.node_id = context.broker.config.node_id.value(), .fixed = &context.broker.given_config};
  co_return make_reply(context, metadata::describe_configs(request, config, *context.shard.image));
}

}  // namespace moldau::broker
