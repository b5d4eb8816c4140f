// The tables of configuration keys and the search in them. Constant data, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "metadata/config/config_key.h"

namespace moldau::metadata {

enum class ConfigTable : uint8_t {
  broker,
  broker_dynamic,
  moldau,
  topic,
  group,
  client_metrics,
  user_client_quota,
  ip_quota
};

// All keys of a table, by name. `broker` holds what Kafka takes from a file, `broker_dynamic` what
// it takes only while running, `moldau` the keys that begin with "moldau.".
[[nodiscard]] std::span<const ConfigKey> config_keys(ConfigTable table);

// Null if the table does not hold the key.
[[nodiscard]] const ConfigKey* find_config_key(ConfigTable table, std::string_view name);

// A key of the node: Kafka's or Moldau's, also with a listener's prefix
// ("listener.name.internal.num.network.threads" is num.network.threads,
// "listener.name.sasl.plain.sasl.jaas.config" is sasl.jaas.config). Null if unknown.
[[nodiscard]] const ConfigKey* find_node_key(std::string_view name);

// What earlier releases of Kafka knew by this name. Null if they did not.
[[nodiscard]] const RemovedKey* find_removed_key(std::string_view name);

// The known name nearest to a mistyped one (edit distance up to a third of its length, and up to 8), or
// empty.
[[nodiscard]] std::string_view nearest_node_key(std::string_view name);

}  // namespace moldau::metadata
