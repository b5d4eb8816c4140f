#include "metadata/config/describe_configs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/assert.h"
#include "metadata/api_error.h"
#include "metadata/config/config_tables.h"
#include "metadata/config/topic_defaults.h"
#include "metadata/topic_name.h"

namespace moldau::metadata {
namespace {

using Request = protocol::DescribeConfigsRequest;
using Response = protocol::DescribeConfigsResponse;
using Result = Response::DescribeConfigsResult;
using Entry = Response::DescribeConfigsResourceResult;
using Synonym = Response::DescribeConfigsSynonym;
using protocol::ErrorCode;

// What is asked of every resource of a request, and what the answers are made of.
struct Asked {
  const Request& request;
  const ConfigContext& context;
  const MetadataImage& image;
  const BrokerLayers& layers;
};

std::optional<std::string> text_or_null(const ConfigValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
  return config_value_text(value);
}

// An entry but for its place: source and synonyms are those of `places`.
Entry entry(const Asked& asked, std::string_view name, std::optional<std::string> value, const ConfigKey* key,
            bool read_only, const std::vector<ConfigSynonymValue>& places) {
  const bool sensitive = !key || is_sensitive(*key);
  Entry entry;
  entry.name = name;
  entry.value = sensitive ? std::nullopt : std::move(value);
  entry.read_only = read_only;
  entry.config_source =
      static_cast<int8_t>(places.empty() ? ConfigSource::default_config : places.front().source);
  entry.is_sensitive = sensitive;
  entry.config_type = key ? static_cast<int8_t>(key->type) : int8_t{0};
  entry.documentation = std::nullopt;
  if (asked.request.include_documentation && key && !key->note.empty())
    entry.documentation = std::string(key->note);
  if (!asked.request.include_synonyms) return entry;
  for (const auto& place : places) {
    Synonym synonym{.name = place.name, .value = place.value, .source = static_cast<int8_t>(place.source)};
    if (sensitive) synonym.value = std::nullopt;
    entry.synonyms.push_back(std::move(synonym));
  }
  return entry;
}

// The places of a topic's or group's key: its own override, then those of the broker key that gives the
// default.
std::vector<ConfigSynonymValue> places_of(const BrokerLayers& layers, const ConfigKey& key,
                                          const ConfigMap& overrides, const std::string& value,
                                          ConfigSource own) {
  std::vector<ConfigSynonymValue> places;
  if (!key.broker_keys.empty()) places = places_where_set(layers, key.broker_keys.front().name);
  if (find_given(overrides, key.name)) places.insert(places.begin(), {std::string(key.name), value, own});
  return places;
}

// The override if it is good, else what the broker gives.
ConfigValue own_or_default(const ConfigKey& key, const ConfigMap& overrides, const BrokerLayers& layers) {
  if (const auto* text = find_given(overrides, key.name))
    if (auto value = parse_config_value(key, *text)) return std::move(*value);
  return topic_default_value(key, layers.effective);
}

void describe_overridable(const Asked& asked, ConfigTable table, const ConfigMap& overrides, ConfigSource own,
                          Result& result) {
  for (const auto& key : config_keys(table)) {
    if (key.internal && !find_given(overrides, key.name)) continue;
    auto value = text_or_null(own_or_default(key, overrides, asked.layers));
    auto places = places_of(asked.layers, key, overrides, value.value_or(""), own);
    // A group's key that no broker key gives a default shows its own, also below an override.
    if (own == ConfigSource::group && (places.empty() || key.broker_keys.empty())) {
      const auto fallback = text_or_null(topic_default_value(key, asked.layers.effective));
      places.push_back({std::string(key.name), fallback.value_or(""), ConfigSource::default_config});
    }
    result.configs.push_back(entry(asked, key.name, std::move(value), &key, false, places));
  }
}

void describe_this_broker(const Asked& asked, Result& result) {
  const auto& effective = asked.layers.effective;
  std::set<std::string_view> names;
  for (const auto table : {ConfigTable::broker, ConfigTable::moldau})
    for (const auto& key : config_keys(table))
      if (!key.internal) names.insert(key.name);
  for (const auto& [name, text] : effective) names.insert(name);
  for (const auto name : names) {
    const auto* key = find_node_key(name);
    if (!key) key = find_config_key(ConfigTable::broker_dynamic, name);
    std::optional<std::string> value;
    if (key && key->name == name && find_node_key(name))
      value = text_or_null(node_value(effective, name));
    else if (const auto* text = find_given(effective, name))
      value = *text;
    // With a listener's prefix a key is read-only to Kafka's eyes, and so is one that it does not know.
    const bool read_only = !key || key->name != name || key->update_mode == UpdateMode::read_only;
    result.configs.push_back(
        entry(asked, name, std::move(value), key, read_only, places_where_set(asked.layers, name)));
  }
}

void describe_all_brokers(const Asked& asked, Result& result) {
  for (const auto& [name, text] : asked.layers.dynamic_default) {
    const auto* key = find_node_key(name);
    if (!key) key = find_config_key(ConfigTable::broker_dynamic, name);
    auto places = places_where_set(asked.layers, name);
    std::erase_if(places,
                  [](const auto& each) { return each.source != ConfigSource::dynamic_default_broker; });
    const bool read_only = !key || key->name != name;
    result.configs.push_back(entry(asked, name, text, key, read_only, places));
  }
}

void describe_client_metrics(const Asked& asked, const std::string& name, Result& result) {
  const auto& overrides = asked.image.find_configs(ResourceType::client_metrics, name);
  for (const auto& key : config_keys(ConfigTable::client_metrics)) {
    const auto* text = find_given(overrides, key.name);
    std::vector<ConfigSynonymValue> places;
    if (text) places.push_back({std::string(key.name), *text, ConfigSource::client_metrics});
    auto value = text ? std::optional(*text) : text_or_null(default_config_value(key));
    result.configs.push_back(entry(asked, key.name, std::move(value), &key, false, places));
  }
}

void describe_logger(const Asked& asked, Result& result) {
  Entry root;
  root.name = "root";
  root.value = std::string(asked.context.log_level);
  root.config_source = static_cast<int8_t>(ConfigSource::dynamic_broker_logger);
  root.documentation = std::nullopt;
  result.configs.push_back(std::move(root));
}

ApiError invalid_request(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

// `or_empty`: the message for an empty name is that of describing a broker.
ApiError check_this_node(const Asked& asked, const std::string& name, std::string_view or_empty) {
  const auto id = parse_integer(name, INT32_MIN, INT32_MAX);
  if (!id) return invalid_request(fmt::format("Broker id must be an integer, but it is: {}", name));
  if (*id != asked.context.node_id)
    return invalid_request(fmt::format("Unexpected broker id, expected {}{} but received {}",
                                       asked.context.node_id, or_empty, name));
  return {};
}

ApiError describe_topic(const Asked& asked, const std::string& name, Result& result) {
  if (auto problem = topic_name_problem(name))
    return {ErrorCode::invalid_topic_exception, std::move(*problem)};
  if (!asked.image.find_topic(name)) return {ErrorCode::unknown_topic_or_partition, ""};
  describe_overridable(asked, ConfigTable::topic, asked.image.find_configs(ResourceType::topic, name),
                       ConfigSource::topic, result);
  return {};
}

ApiError describe(const Asked& asked, int8_t type, const std::string& name, Result& result) {
  switch (static_cast<ResourceType>(type)) {
    case ResourceType::topic:
      return describe_topic(asked, name, result);
    case ResourceType::broker:
      if (name.empty()) {
        describe_all_brokers(asked, result);
        return {};
      }
      if (auto error = check_this_node(asked, name, " or empty string,"); !error.is_none()) return error;
      describe_this_broker(asked, result);
      return {};
    case ResourceType::broker_logger:
      if (name.empty()) return invalid_request("Broker id must not be empty");
      if (auto error = check_this_node(asked, name, ""); !error.is_none()) return error;
      describe_logger(asked, result);
      return {};
    case ResourceType::client_metrics:
      if (name.empty()) return invalid_request("Client metrics subscription name must not be empty");
      describe_client_metrics(asked, name, result);
      return {};
    case ResourceType::group:
      if (name.empty()) return invalid_request("Group name must not be empty");
      describe_overridable(asked, ConfigTable::group, asked.image.find_configs(ResourceType::group, name),
                           ConfigSource::group, result);
      return {};
    case ResourceType::unknown:
      break;
  }
  return invalid_request(fmt::format("Unsupported resource type: {}", type));
}

bool is_described(int8_t type) { return type == 2 || type == 4 || type == 8 || type == 16 || type == 32; }

}  // namespace

protocol::DescribeConfigsResponse describe_configs(const Request& request, const ConfigContext& context,
                                                   const MetadataImage& image) {
  MOLDAU_ASSERT(context.fixed);
  const auto layers = broker_layers(*context.fixed, image, context.node_id);
  const Asked asked{request, context, image, layers};
  Response response;
  for (const auto& resource : request.resources) {
    Result result;
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    auto error = describe(asked, resource.resource_type, resource.resource_name, result);
    if (!error.is_none()) {
      result.error_code = static_cast<int16_t>(error.code);
      result.error_message = std::move(error.message);
    } else if (resource.configuration_keys && !resource.configuration_keys->empty()) {
      const std::set<std::string_view> wanted(resource.configuration_keys->begin(),
                                              resource.configuration_keys->end());
      std::erase_if(result.configs, [&](const Entry& each) { return !wanted.contains(each.name); });
    }
    response.results.push_back(std::move(result));
  }
  return response;
}

std::vector<protocol::CreateTopicsResponse::CreatableTopicConfigs> describe_new_topic(
    const ConfigMap& overrides, const ConfigContext& context, const MetadataImage& image) {
  MOLDAU_ASSERT(context.fixed);
  const auto layers = broker_layers(*context.fixed, image, context.node_id);
  std::vector<protocol::CreateTopicsResponse::CreatableTopicConfigs> configs;
  for (const auto& key : config_keys(ConfigTable::topic)) {
    if (key.internal && !find_given(overrides, key.name)) continue;
    auto value = text_or_null(own_or_default(key, overrides, layers));
    const auto places = places_of(layers, key, overrides, value.value_or(""), ConfigSource::topic);
    protocol::CreateTopicsResponse::CreatableTopicConfigs config;
    config.name = key.name;
    config.value = std::move(value);
    config.config_source =
        static_cast<int8_t>(places.empty() ? ConfigSource::default_config : places.front().source);
    configs.push_back(std::move(config));
  }
  return configs;
}

protocol::ListConfigResourcesResponse list_config_resources(
    const protocol::ListConfigResourcesRequest& request, int16_t version, const MetadataImage& image) {
  protocol::ListConfigResourcesResponse response;
  std::set<int8_t> wanted(request.resource_types.begin(), request.resource_types.end());
  if (version == 0) wanted = {static_cast<int8_t>(ResourceType::client_metrics)};
  if (!std::ranges::all_of(wanted, is_described)) {
    response.error_code = static_cast<int16_t>(ErrorCode::unsupported_version);
    return response;
  }
  const auto is_wanted = [&](ResourceType type) {
    return wanted.empty() || wanted.contains(static_cast<int8_t>(type));
  };
  const auto add = [&](ResourceType type, std::string name) {
    protocol::ListConfigResourcesResponse::ConfigResource resource;
    resource.resource_type = static_cast<int8_t>(type);
    resource.resource_name = std::move(name);
    response.config_resources.push_back(std::move(resource));
  };
  for (const auto type : {ResourceType::group, ResourceType::client_metrics})
    if (is_wanted(type))
      for (const auto& [resource, values] : image.configs)
        if (resource.type == type) add(type, resource.name);
  for (const auto type : {ResourceType::broker_logger, ResourceType::broker})
    if (is_wanted(type))
      for (const auto& [id, broker] : image.brokers) add(type, fmt::format("{}", id));
  if (is_wanted(ResourceType::topic))
    for (const auto& [name, topic] : image.topics_by_name) add(ResourceType::topic, name);
  return response;
}

}  // namespace moldau::metadata
