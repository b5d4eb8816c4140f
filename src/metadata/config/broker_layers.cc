#include "metadata/config/broker_layers.h"

#include <fmt/format.h>

#include <algorithm>

#include "metadata/config/config_tables.h"

namespace moldau::metadata {

bool is_per_broker_only(std::string_view name) {
  const auto* key = find_node_key(name);
  if (!key) return false;
  if (key->name == name) return key->update_mode == UpdateMode::per_broker;
  // With a listener's prefix every key is that of one broker, but for the limits that a whole cluster can
  // share.
  return key->name != "max.connections" && key->name != "max.connection.creation.rate" &&
         key->name != "num.network.threads";
}

bool is_read_only(std::string_view name) {
  const auto* key = find_node_key(name);
  return key && key->name == name && key->update_mode == UpdateMode::read_only;
}

ConfigMap applicable_dynamic_values(const ConfigMap& stored, bool of_one_broker) {
  ConfigMap values = stored;
  std::erase_if(values, [&](const auto& each) {
    const auto& [name, text] = each;
    if (is_read_only(name) || (!of_one_broker && is_per_broker_only(name))) return true;
    const auto* key = find_node_key(name);
    return key && !parse_config_value(*key, text);
  });
  return values;
}

BrokerLayers broker_layers(const ConfigMap& fixed, const MetadataImage& image, int32_t node_id) {
  BrokerLayers layers{
      .fixed = &fixed,
      .dynamic_default = applicable_dynamic_values(image.find_configs(ResourceType::broker, ""), false),
      .dynamic_broker = applicable_dynamic_values(
          image.find_configs(ResourceType::broker, fmt::format("{}", node_id)), true),
      .effective = {}};
  layers.effective = effective_broker_config(fixed, layers.dynamic_default, layers.dynamic_broker);
  return layers;
}

std::vector<ConfigSynonymValue> places_where_set(const BrokerLayers& layers, std::string_view key) {
  const auto names = broker_synonyms(key);
  std::vector<ConfigSynonymValue> places;
  const auto add_layer = [&](const ConfigMap& layer, ConfigSource source) {
    for (const auto name : names)
      if (const auto* value = find_given(layer, name)) places.push_back({std::string(name), *value, source});
  };
  add_layer(layers.dynamic_broker, ConfigSource::dynamic_broker);
  add_layer(layers.dynamic_default, ConfigSource::dynamic_default_broker);
  add_layer(*layers.fixed, ConfigSource::static_broker);
  for (const auto name : names) {
    const auto* known = find_node_key(name);
    if (known && known->name == name && known->default_value)
      places.push_back({std::string(name), std::string(*known->default_value), ConfigSource::default_config});
  }
  places.erase(places.begin(), std::ranges::find(places, key, &ConfigSynonymValue::name));
  return places;
}

}  // namespace moldau::metadata
