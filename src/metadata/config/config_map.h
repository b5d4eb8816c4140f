// Configuration as text by key, the form in which it is given, stored in records and merged.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "metadata/config/config_value.h"

namespace moldau::metadata {

using ConfigMap = std::map<std::string, std::string, std::less<>>;

// Null if not set.
[[nodiscard]] inline const std::string* find_given(const ConfigMap& map, std::string_view key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

// What a broker goes by: `fixed` (the file) under the cluster's defaults under the broker's own, both from
// metadata records. As in Kafka, a dynamic value hides every synonym below it (log.retention.ms hides
// log.retention.hours). Dynamic values that are not of their key's type are left out.
[[nodiscard]] ConfigMap effective_broker_config(const ConfigMap& fixed, const ConfigMap& dynamic_default,
                                                const ConfigMap& dynamic_broker);

// The value of a key of the node, or its default. The key must exist and a given value must be valid.
[[nodiscard]] ConfigValue node_value(const ConfigMap& given, std::string_view key);

// The same for a value of known type: an integer key, a boolean key and so on. Null is 0, false or empty.
[[nodiscard]] int64_t node_integer(const ConfigMap& given, std::string_view key);
[[nodiscard]] bool node_boolean(const ConfigMap& given, std::string_view key);
[[nodiscard]] std::string node_text(const ConfigMap& given, std::string_view key);
[[nodiscard]] std::vector<std::string> node_list(const ConfigMap& given, std::string_view key);

// All names that set the same thing as a broker key, first one first, itself among them. For
// "listener.name.X.KEY" it is followed by KEY.
[[nodiscard]] std::vector<std::string_view> broker_synonyms(std::string_view name);

}  // namespace moldau::metadata
