#include "metadata/config/load_node_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "metadata/config/config_tables.h"
#include "metadata/config/fill_node_config.h"
#include "metadata/config/listeners.h"
#include "metadata/config/node_config_rules.h"
#include "metadata/config/properties.h"

namespace moldau::metadata {

const std::string_view default_server_properties =
    "process.roles=broker,controller\n"
    "node.id=1\n"
    "listeners=PLAINTEXT://127.0.0.1:9092\n"
    "log.dirs=./moldau-data\n"
    "offsets.topic.replication.factor=1\n"
    "transaction.state.log.replication.factor=1\n"
    "transaction.state.log.min.isr=1\n"
    "share.coordinator.state.topic.replication.factor=1\n"
    "share.coordinator.state.topic.min.isr=1\n";

namespace {

struct Given {
  std::string text;
  std::string where;  // "server.properties:12", "--override"; empty: built in
};
using GivenMap = std::map<std::string, Given, std::less<>>;

std::string at(const Given& given) { return given.where.empty() ? std::string() : given.where + ": "; }

void read_file(const ConfigInput& input, GivenMap& given, std::vector<std::string>& notes,
               ConfigProblems& problems) {
  const auto name = input.file_name.value_or("");
  const auto properties = parse_properties(input.file_name ? input.file_bytes : default_server_properties);
  if (!properties) {
    problems.push_back(fmt::format("{}:{}: {}", name, properties.error().line, properties.error().message));
    return;
  }
  for (const auto& property : *properties) {
    Given here{property.value, input.file_name ? fmt::format("{}:{}", name, property.line) : std::string()};
    if (const auto found = given.find(property.key); found != given.end())
      notes.push_back(fmt::format("{}{} was set before at {}; this one counts", at(here), property.key,
                                  found->second.where));
    given[property.key] = std::move(here);
  }
}

void read_overrides(const ConfigInput& input, GivenMap& given, ConfigProblems& problems) {
  for (const auto& text : input.overrides) {
    const auto equals = text.find('=');
    const auto key = trimmed(std::string_view(text).substr(0, equals));
    if (equals == std::string::npos || key.empty())
      problems.push_back(fmt::format("--override {}: it must be KEY=VALUE", text));
    else
      given[std::string(key)] = {text.substr(equals + 1), "--override"};
  }
}

void check_unknown(const std::string& name, const Given& given, bool strict, std::vector<std::string>& notes,
                   ConfigProblems& problems) {
  if (const auto* removed = find_removed_key(name)) {
    auto text = fmt::format("{}{} is not a key of Kafka 4.3. {}", at(given), name, removed->instead);
    if (removed->standing == Standing::unbuilt)
      text = fmt::format("{}{}: {}", at(given), name, removed->instead);
    (removed->standing == Standing::unbuilt || strict ? problems : notes).push_back(std::move(text));
    return;
  }
  const auto nearest = nearest_node_key(name);
  auto text = fmt::format("{}unknown key {}", at(given), name);
  if (find_config_key(ConfigTable::broker_dynamic, name))
    text = fmt::format("{}{} can be set only while the node runs, with kafka-configs", at(given), name);
  else if (!nearest.empty())
    text += fmt::format("; did you mean {}?", nearest);
  (strict ? problems : notes).push_back(std::move(text));
}

bool is_default(const ConfigKey& key, const ConfigValue& value) {
  if (value == default_config_value(key)) return true;
  const auto* text = std::get_if<std::string>(&value);
  return !key.default_value && text && text->empty();
}

void check_known(const std::string& name, const ConfigKey& key, const Given& given,
                 std::vector<std::string>& notes, ConfigProblems& problems) {
  const auto value = parse_config_value(key, given.text);
  if (!value) {
    problems.push_back(at(given) + value.error().message);
    return;
  }
  switch (key.standing) {
    case Standing::effective:
      return;
    case Standing::none:
      if (!key.internal) notes.push_back(fmt::format("{}{} has no effect here", at(given), name));
      return;
    case Standing::refused:
      if (is_default(key, *value)) return;
      problems.push_back(
          fmt::format("{}{}: only the default ({}) can be honoured; remove the key", at(given), name,
                      key.default_value && !key.default_value->empty() ? *key.default_value : "not set"));
      return;
    case Standing::unbuilt:
      if (is_default(key, *value)) return;
      problems.push_back(
          fmt::format("{}{}: this part of security is not built yet, and the node does not start less "
                      "protected than it was told; "
                      "remove the key to start without it",
                      at(given), name));
  }
}

// Kafka takes node.id from broker.id and the other way round where only one is given.
void pair_ids(GivenMap& given, ConfigProblems& problems) {
  const auto node = given.find("node.id");
  const auto broker = given.find("broker.id");
  if (node == given.end() && broker != given.end())
    given["node.id"] = broker->second;
  else if (broker == given.end() && node != given.end())
    given["broker.id"] = {node->second.text, ""};
  else if (node != given.end() && trimmed(node->second.text) != trimmed(broker->second.text))
    problems.push_back(fmt::format("node.id is {} and broker.id is {}: set node.id alone", node->second.text,
                                   broker->second.text));
}

void check_roles(const GivenMap& given, ConfigProblems& problems) {
  for (const auto* key : {"process.roles", "node.id"})
    if (!given.contains(key))
      problems.push_back(
          fmt::format("Missing configuration {}: a node of its own has {}", key,
                      std::string_view(key) == "node.id" ? "node.id=1" : "process.roles=broker,controller"));
  const auto roles = given.find("process.roles");
  if (roles == given.end()) return;
  const auto* key = find_node_key("process.roles");
  const auto value = parse_config_value(*key, roles->second.text);
  if (value && std::get<std::vector<std::string>>(*value).size() != 2)
    problems.push_back(fmt::format(
        "{}process.roles={}: clusters are not built yet, a node is broker and controller in one: set "
        "process.roles=broker,controller",
        at(roles->second), trimmed(roles->second.text)));
}

}  // namespace

result<LoadedConfig, ConfigProblems> load_node_config(const ConfigInput& input) {
  LoadedConfig loaded;
  ConfigProblems problems;
  GivenMap given;
  read_file(input, given, loaded.notes, problems);
  read_overrides(input, given, problems);
  pair_ids(given, problems);
  check_roles(given, problems);
  for (const auto& [name, each] : given) {
    if (each.where.empty()) continue;
    if (const auto* key = find_node_key(name))
      check_known(name, *key, each, loaded.notes, problems);
    else
      check_unknown(name, each, input.strict, loaded.notes, problems);
  }
  if (!problems.empty()) return fail(std::move(problems));

  for (auto& [name, each] : given) loaded.given.emplace(name, std::move(each.text));
  check_rules_between_keys(loaded.given, problems);
  if (!find_given(loaded.given, "listeners")) {
    loaded.given.emplace("listeners", "PLAINTEXT://127.0.0.1:9092");
    loaded.notes.push_back("listeners is not set: listening on 127.0.0.1:9092 alone, not on every address");
  }
  read_listeners(loaded.given, input.host_name, loaded.node.network, problems);
  if (!problems.empty()) return fail(std::move(problems));
  fill_node_config(loaded.given, loaded.node, problems);
  if (!problems.empty()) return fail(std::move(problems));
  if (loaded.node.network.controller_listeners.empty())
    loaded.notes.push_back(
        "no controller listener is bound: a quorum of one needs none (controller.listener.names)");
  return loaded;
}

}  // namespace moldau::metadata
