#include "metadata/config/config_map.h"

#include <algorithm>

#include "base/assert.h"
#include "metadata/config/config_tables.h"

namespace moldau::metadata {
namespace {

// Keys that set the same thing, the finer unit first.
constexpr std::string_view retention[] = {"log.retention.ms", "log.retention.minutes", "log.retention.hours"};
constexpr std::string_view roll[] = {"log.roll.ms", "log.roll.hours"};
constexpr std::string_view roll_jitter[] = {"log.roll.jitter.ms", "log.roll.jitter.hours"};
constexpr std::string_view flush[] = {"log.flush.interval.ms", "log.flush.scheduler.interval.ms"};

void lay_over(ConfigMap& config, const ConfigMap& dynamic) {
  for (const auto& [name, text] : dynamic) {
    const auto* key = find_node_key(name);
    if (key && !parse_config_value(*key, text)) continue;
    for (const auto synonym : broker_synonyms(name))
      if (const auto found = config.find(synonym); found != config.end()) config.erase(found);
  }
  for (const auto& [name, text] : dynamic) {
    const auto* key = find_node_key(name);
    if (!key || parse_config_value(*key, text)) config[name] = text;
  }
}

}  // namespace

std::vector<std::string_view> broker_synonyms(std::string_view name) {
  using Names = std::span<const std::string_view>;
  const auto all_of = [](Names names) { return std::vector<std::string_view>(names.begin(), names.end()); };
  for (const auto group : {Names(retention), Names(roll), Names(roll_jitter)})
    if (std::ranges::find(group, name) != group.end()) return all_of(group);
  if (name == flush[0]) return all_of(flush);
  const auto* key = find_node_key(name);
  if (key && key->name != name) return {name, key->name};
  return {name};
}

ConfigMap effective_broker_config(const ConfigMap& fixed, const ConfigMap& dynamic_default,
                                  const ConfigMap& dynamic_broker) {
  ConfigMap config = fixed;
  lay_over(config, dynamic_default);
  lay_over(config, dynamic_broker);
  return config;
}

ConfigValue node_value(const ConfigMap& given, std::string_view name) {
  const auto* key = find_node_key(name);
  MOLDAU_ASSERT_MSG(key, "a key that the schema does not have");
  const auto* text = find_given(given, name);
  if (!text) return default_config_value(*key);
  auto value = parse_config_value(*key, *text);
  MOLDAU_ASSERT_MSG(value.has_value(), "values are checked before they are used");
  return std::move(*value);
}

int64_t node_integer(const ConfigMap& given, std::string_view key) {
  const auto value = node_value(given, key);
  if (std::holds_alternative<std::monostate>(value)) return 0;
  return std::get<int64_t>(value);
}

bool node_boolean(const ConfigMap& given, std::string_view key) {
  return std::get<bool>(node_value(given, key));
}

std::string node_text(const ConfigMap& given, std::string_view key) {
  return config_value_text(node_value(given, key));
}

std::vector<std::string> node_list(const ConfigMap& given, std::string_view key) {
  auto value = node_value(given, key);
  if (std::holds_alternative<std::monostate>(value)) return {};
  return std::get<std::vector<std::string>>(std::move(value));
}

}  // namespace moldau::metadata
