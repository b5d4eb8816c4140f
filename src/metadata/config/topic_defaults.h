// From keys to TopicConfig: what the broker's keys give every topic, and a topic's own overrides over it.
// Pure functions, any thread.
#pragma once

#include "metadata/config/config_map.h"
#include "metadata/config/topic_config.h"

namespace moldau::metadata {

// What a topic without an override has for `key`, from the broker's effective configuration: the first of the
// key's broker synonyms that is set, in the topic's unit, else the default.
[[nodiscard]] ConfigValue topic_default_value(const ConfigKey& key, const ConfigMap& broker);

// The same for an integer key of the topic table, by name.
[[nodiscard]] int64_t topic_default_integer(std::string_view key, const ConfigMap& broker);

// The configuration of a topic without overrides. `broker` is effective_broker_config().
[[nodiscard]] TopicConfig topic_defaults(const ConfigMap& broker);

// That of a topic with overrides. An override that is unknown or not valid (from a newer release, say) is
// left out: what enters through alter_configs is always valid.
[[nodiscard]] TopicConfig topic_config(const TopicConfig& defaults, const ConfigMap& overrides);

}  // namespace moldau::metadata
