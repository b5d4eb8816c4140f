// Whose permission the settings of a resource need: topics and groups have their own, everything else is the cluster's.
#pragma once

#include <optional>

#include "metadata/config/config_map.h"
#include "metadata/image.h"
#include "protocol/error_code.h"
#include "security/gate.h"

namespace moldau::broker {

// Null for a type that Kafka does not have: such a request is refused for that.
[[nodiscard]] inline std::optional<security::Resource> owner_of_config(int8_t config_type, std::string_view name) {
  switch (static_cast<metadata::ResourceType>(config_type)) {
    case metadata::ResourceType::topic: return security::Resource{security::ResourceType::topic, name};
    case metadata::ResourceType::group: return security::Resource{security::ResourceType::group, name};
    case metadata::ResourceType::broker:
    case metadata::ResourceType::broker_logger:
    case metadata::ResourceType::client_metrics: return security::Resource{security::ResourceType::cluster, security::cluster_name};
    case metadata::ResourceType::unknown: break;
  }
  return std::nullopt;
}

[[nodiscard]] inline protocol::ErrorCode config_denial(int8_t config_type) {
  switch (static_cast<metadata::ResourceType>(config_type)) {
    case metadata::ResourceType::topic: return protocol::ErrorCode::topic_authorization_failed;
    case metadata::ResourceType::group: return protocol::ErrorCode::group_authorization_failed;
    default: return protocol::ErrorCode::cluster_authorization_failed;
  }
}

}  // namespace moldau::broker
