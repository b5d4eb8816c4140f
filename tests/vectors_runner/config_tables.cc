// tables/*-configs.json: every configuration key of Kafka 4.3 against the tables generated from
// schema/configs.
#include "metadata/config/config_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "vectors_runner/json_lines.h"
#include "vectors_runner/kinds.h"

namespace moldau::vectors {

namespace json = boost::json;
using metadata::Allowed;
using metadata::ConfigKey;
using metadata::ConfigTable;

namespace {

ConfigTable table_of(std::string_view name) {
  if (name == "broker-configs") return ConfigTable::broker;
  if (name == "topic-configs") return ConfigTable::topic;
  if (name == "group-configs") return ConfigTable::group;
  if (name == "client-metrics-configs") return ConfigTable::client_metrics;
  if (name == "user-client-quota-configs") return ConfigTable::user_client_quota;
  return ConfigTable::ip_quota;
}

std::string_view type_name(metadata::ConfigType type) {
  static constexpr std::string_view names[] = {"",     "boolean", "string", "int",   "short",
                                               "long", "double",  "list",   "class", "password"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view importance_name(metadata::Importance importance) {
  static constexpr std::string_view names[] = {"high", "medium", "low"};
  return names[static_cast<std::size_t>(importance)];
}

std::string_view update_mode_name(metadata::UpdateMode mode) {
  static constexpr std::string_view names[] = {"read-only", "per-broker", "cluster-wide"};
  return names[static_cast<std::size_t>(mode)];
}

std::string_view unit_name(metadata::TimeUnit unit) {
  static constexpr std::string_view names[] = {"same", "minutes", "hours"};
  return names[static_cast<std::size_t>(unit)];
}

// What Kafka's validators say of themselves; \N for a key without one.
std::string valid_text(const Allowed& allowed) {
  switch (allowed.kind) {
    case Allowed::Kind::any:
      return "\\N";
    case Allowed::Kind::range: {
      auto text = fmt::format("[{},...", allowed.minimum);
      text += std::isinf(allowed.maximum) ? "]" : fmt::format(",{}]", allowed.maximum);
      return allowed.also ? fmt::format("{} or {}", text, *allowed.also) : text;
    }
    case Allowed::Kind::one_of:
      return fmt::format("[{}]", fmt::join(allowed.choices, ", "));
    case Allowed::Kind::one_of_in_any_case:
      return fmt::format("(case insensitive) [{}]", fmt::join(allowed.choices, ", "));
    case Allowed::Kind::list_of:
      return allowed.choices.empty() ? "" : fmt::format("[{}]", fmt::join(allowed.choices, ", "));
    case Allowed::Kind::non_empty_text:
      return "non-empty string";
    case Allowed::Kind::non_null:
      return "non-null string";
    case Allowed::Kind::quorum_voters:
    case Allowed::Kind::bootstrap_servers:
      return "non-empty list";
    case Allowed::Kind::throttled_replicas:
      return "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
    case Allowed::Kind::offset_reset:
      return "[latest, earliest, by_duration:PnDTnHnMn.nS]";
  }
  return {};
}

std::string text_or_null(const json::object& row, std::string_view field) {
  const json::value* value = find(row, field);
  return value == nullptr ? "\\N" : std::string(value->as_string());
}

// The broker's keys that mean the same: names in a broker's row, names with units in a topic's, one name in a
// group's.
std::vector<std::string> synonyms_of(const json::object& row) {
  std::vector<std::string> synonyms;
  if (const json::value* names = find(row, "synonyms"))
    for (const json::value& name : names->as_array()) synonyms.emplace_back(name.as_string());
  if (const json::value* keys = find(row, "brokerSynonyms"))
    for (const json::value& key : keys->as_array())
      synonyms.push_back(text_of(key.as_object(), "name") + ":" + text_of(key.as_object(), "unit"));
  if (const json::value* key = find(row, "brokerSynonym"))
    synonyms.push_back(std::string(key->as_string()) + ":same");
  return synonyms;
}

std::vector<std::string> synonyms_of(const ConfigKey& key) {
  std::vector<std::string> synonyms(key.synonyms.begin(), key.synonyms.end());
  for (const auto& broker : key.broker_keys)
    synonyms.push_back(fmt::format("{}:{}", broker.name, unit_name(broker.unit)));
  return synonyms;
}

std::string check_key(const json::object& row, const ConfigKey* key) {
  if (key == nullptr) return "is not in the table";
  if (type_name(key->type) != text_of(row, "type"))
    return fmt::format("has the type {}", type_name(key->type));
  if (key->required != bool_of(row, "required")) return "required or not is wrong";
  const auto default_value = key->default_value ? std::string(*key->default_value) : "\\N";
  if (default_value != text_or_null(row, "default")) return fmt::format("has the default {}", default_value);
  if (valid_text(key->allowed) != text_or_null(row, "valid"))
    return fmt::format("allows {}", valid_text(key->allowed));
  if (importance_name(key->importance) != text_of(row, "importance")) return "has another importance";
  if (key->internal != bool_of(row, "internal")) return "internal or not is wrong";
  if (find(row, "updateMode") != nullptr && update_mode_name(key->update_mode) != text_of(row, "updateMode"))
    return fmt::format("is {}", update_mode_name(key->update_mode));
  if (synonyms_of(*key) != synonyms_of(row))
    return fmt::format("has the synonyms {}", fmt::join(synonyms_of(*key), ", "));
  return {};
}

}  // namespace

void check_config_keys(const std::filesystem::path& path, std::string_view file, Report& report) {
  const json::value all = read_json(path);
  const ConfigTable table = table_of(text_of(all.as_object(), "table"));
  std::set<std::string> seen;
  for (const json::value& value : all.as_object().at("rows").as_array()) {
    const std::string name = text_of(value.as_object(), "name");
    seen.insert(name);
    report.add(file, name, check_key(value.as_object(), metadata::find_config_key(table, name)));
  }
  for (const ConfigKey& key : metadata::config_keys(table))
    if (!seen.contains(std::string(key.name)) && !key.name.starts_with("moldau."))
      report.add(file, key.name, "is in the table, although Kafka lacks it");
}

}  // namespace moldau::vectors
