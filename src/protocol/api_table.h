// The table of APIs, generated from schema/apis.table and the messages: who offers which versions, and which header
// stands before each.
#pragma once

#include <span>
#include <string_view>

#include "protocol/api_key.h"
#include "protocol/version_range.h"

namespace moldau::protocol {

struct ApiInfo {
  ApiKey key;
  std::string_view name;             // Produce, ListOffsets, ...
  VersionRange broker_versions;      // what a broker's listener advertises; empty where it lacks the API
  VersionRange controller_versions;  // likewise a controller's
  VersionRange message_versions;     // what can be decoded, unstable versions included
  int16_t first_flexible_version;
  bool is_forwarded;       // a broker hands the request to the controller
  bool is_cluster_action;  // needs ClusterAction on the cluster

  // 2 before a flexible request, else 1.
  [[nodiscard]] int16_t request_header_version(int16_t version) const {
    return version >= first_flexible_version ? 2 : 1;
  }
  // 1 before a flexible response, else 0. ApiVersions is always 0: its reader does not know our versions (KIP-511).
  [[nodiscard]] int16_t response_header_version(int16_t version) const {
    return version >= first_flexible_version && key != ApiKey::api_versions ? 1 : 0;
  }
};

// In the order of the keys.
[[nodiscard]] std::span<const ApiInfo> api_table();
// Null for a key that Kafka 4 does not have.
[[nodiscard]] const ApiInfo* find_api(int16_t key);
[[nodiscard]] const ApiInfo& api_info(ApiKey key);

}  // namespace moldau::protocol
