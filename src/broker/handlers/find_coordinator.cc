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
using security::Operation;
using security::ResourceType;

runtime::task<Reply> handle_find_coordinator(RequestContext& context, Gate<ApiKey::find_coordinator> gate) {
  MOLDAU_DECODE(FindCoordinatorRequest, request, context);
  Broker& broker = context.broker;
  const auto may = [&](CoordinatorKeyType type, const std::string& key) {
    switch (type) {
      case CoordinatorKeyType::group: return gate.may<Operation::describe, ResourceType::group>(key).has_value();
      case CoordinatorKeyType::transaction: return gate.may<Operation::describe, ResourceType::transactional_id>(key).has_value();
      case CoordinatorKeyType::share: return gate.may_on_cluster<Operation::cluster_action>().has_value();
    }
    return false;
  };
  const auto denial_of = [](CoordinatorKeyType type) -> CoordinatorPlace {
    switch (type) {
      case CoordinatorKeyType::group: return {.error = ErrorCode::group_authorization_failed};
      case CoordinatorKeyType::transaction: return {.error = ErrorCode::transactional_id_authorization_failed};
      case CoordinatorKeyType::share: break;
    }
    return {.error = ErrorCode::cluster_authorization_failed,
            .message = std::string(protocol::error_message(ErrorCode::cluster_authorization_failed))};
  };
  // A stranger's question makes no topic.
  const auto may_ask_for_group = [&](const std::string& key) { return may(CoordinatorKeyType::group, key); };
  const bool for_groups = request.key_type == static_cast<int8_t>(CoordinatorKeyType::group) &&
                          (context.version < 4 ? may_ask_for_group(request.key) : std::ranges::any_of(request.coordinator_keys, may_ask_for_group));
  if (for_groups && context.shard.image->find_topic(offsets_topic_name) == nullptr)
    co_await create_missing_topics(broker, {std::string(offsets_topic_name)});
  const metadata::MetadataImagePtr image = context.shard.image;
  const auto locate = [&](CoordinatorKeyType type, const std::string& key) -> CoordinatorPlace {
    if (!may(type, key)) return denial_of(type);
    if (type != CoordinatorKeyType::group) return groups::no_transaction_coordinator();
    if (coordinator_partition_of(*image, key) < 0) return {.error = ErrorCode::coordinator_not_available};
    const metadata::ListenerEndpoint& endpoint = broker.advertised(context.connection.listener_name);
    return {.node_id = broker.config.node_id.value(), .host = endpoint.host, .port = endpoint.port};
  };
  co_return make_reply(context, groups::find_coordinator(request, context.version, locate));
}

}  // namespace moldau::broker
