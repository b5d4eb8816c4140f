// DescribeConfigs and ListConfigResources: from a request, the node's configuration and an image to the
// answer. Pure functions, any thread; access is checked by the caller, resource by resource.
#pragma once

#include <cstdint>
#include <string_view>

#include "metadata/config/broker_layers.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/list_config_resources_request.h"
#include "protocol/messages/list_config_resources_response.h"

namespace moldau::metadata {

// What there is to know of a node beside its image.
struct ConfigContext {
  int32_t node_id = 1;
  const ConfigMap* fixed = nullptr;     // LoadedConfig::given
  std::string_view log_level = "INFO";  // of the one logger, "root": TRACE, DEBUG, INFO, WARN, ERROR, FATAL
};

// Errors, as Kafka's: an unknown topic, a broker that is not this one, an empty name, a resource type that is
// none.
[[nodiscard]] protocol::DescribeConfigsResponse describe_configs(
    const protocol::DescribeConfigsRequest& request, const ConfigContext& context,
    const MetadataImage& image);

// All settings of a topic with these overrides, by name, as CreateTopics answers them.
[[nodiscard]] std::vector<protocol::CreateTopicsResponse::CreatableTopicConfigs> describe_new_topic(
    const ConfigMap& overrides, const ConfigContext& context, const MetadataImage& image);

// Version 0 lists client metrics subscriptions alone (KIP-714), version 1 what has the asked types, or
// everything (KIP-1142); an unknown type is UNSUPPORTED_VERSION.
[[nodiscard]] protocol::ListConfigResourcesResponse list_config_resources(
    const protocol::ListConfigResourcesRequest& request, int16_t version, const MetadataImage& image);

}  // namespace moldau::metadata
