// FindCoordinator: which node coordinates a group. Makes the topic of offsets when it is first needed.
#include "broker/api_handlers.h"
#include "broker/create_missing_topics.h"
#include "broker/group_routing.h"
#include "broker/reply.h"
#include "groups/coordinator_placement.h"

namespace moldau::broker {

using groups::CoordinatorKeyType;
using groups::CoordinatorPlace;
using protocol::ErrorCode;

runtime::task<Reply> handle_find_coordinator(RequestContext& context) {
  MOLDAU_DECODE(FindCoordinatorRequest, request, context);
  Broker& broker = context.broker;
  const bool for_groups = request.key_type == static_cast<int8_t>(CoordinatorKeyType::group);
  if (for_groups && context.shard.image->find_topic(offsets_topic_name) == nullptr)
    co_await create_missing_topics(broker, {std::string(offsets_topic_name)});
  const metadata::MetadataImagePtr image = context.shard.image;
  const auto locate = [&](CoordinatorKeyType type, const std::string& key) -> CoordinatorPlace {
    if (type != CoordinatorKeyType::group) return groups::no_transaction_coordinator();
    if (coordinator_partition_of(*image, key) < 0) return {.error = ErrorCode::coordinator_not_available};
    const metadata::ListenerEndpoint& endpoint = broker.advertised(context.connection.listener_name);
    return {.node_id = broker.config.node_id.value(), .host = endpoint.host, .port = endpoint.port};
  };
  co_return make_reply(context, groups::find_coordinator(request, context.version, locate));
}

}  // namespace moldau::broker
