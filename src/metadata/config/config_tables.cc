#include "metadata/config/config_tables.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "metadata/config/generated_tables.h"

namespace moldau::metadata {
namespace {

const ConfigKey* search(std::span<const ConfigKey> keys, std::string_view name) {
  const auto found = std::ranges::lower_bound(keys, name, {}, &ConfigKey::name);
  return found != keys.end() && found->name == name ? &*found : nullptr;
}

// Keys that are set for one mechanism of a listener: listener.name.LISTENER.MECHANISM.KEY.
constexpr std::string_view mechanism_keys[] = {"sasl.jaas.config", "sasl.login.callback.handler.class",
                                               "sasl.login.class", "sasl.server.callback.handler.class",
                                               "connections.max.reauth.ms"};

// "KEY" of "listener.name.LISTENER.KEY", or empty.
std::string_view without_listener_prefix(std::string_view name) {
  constexpr std::string_view prefix = "listener.name.";
  if (!name.starts_with(prefix)) return {};
  const auto dot = name.find('.', prefix.size());
  if (dot == std::string_view::npos) return {};
  const auto rest = name.substr(dot + 1);
  for (const auto key : mechanism_keys)
    if (rest.ends_with(key)) return key;
  return rest;
}

constexpr std::size_t longest_name = 128;
constexpr std::size_t furthest = 9;

// At most `most`, which stands for anything above it too and is `furthest` at most; only cells of the table so near its diagonal can
// matter. Fuzzers learn nothing from its comparisons, and tracing them costs more than all the rest: hence nothing of the standard
// library in the loop, whose templates would be traced.
[[clang::no_sanitize("coverage")]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  const std::size_t a_size = a.size();
  const std::size_t b_size = b.size();
  if ((a_size > b_size ? a_size - b_size : b_size - a_size) >= most) return most;
  const char* const a_text = a.data();
  const char* const b_text = b.data();
  std::size_t row[longest_name + furthest + 1];
  for (std::size_t j = 0; j <= b_size; ++j) row[j] = j;
  for (std::size_t i = 1; i <= a_size; ++i) {
    const std::size_t from = i > most ? i - most : 1;
    const std::size_t to = i + most < b_size ? i + most : b_size;
    std::size_t diagonal = row[from - 1];
    row[from - 1] = from == 1 ? i : most;
    std::size_t least = row[from - 1];
    for (std::size_t j = from; j <= to; ++j) {
      std::size_t distance = diagonal + (a_text[i - 1] == b_text[j - 1] ? 0 : 1);
      diagonal = row[j];
      if (row[j] + 1 < distance) distance = row[j] + 1;
      if (row[j - 1] + 1 < distance) distance = row[j - 1] + 1;
      row[j] = distance;
      if (distance < least) least = distance;
    }
    if (least >= most) return most;
  }
  return row[b_size] < most ? row[b_size] : most;
}

}  // namespace

std::span<const ConfigKey> config_keys(ConfigTable table) {
  switch (table) {
    case ConfigTable::broker:
      return generated::broker_table;
    case ConfigTable::broker_dynamic:
      return generated::broker_dynamic_table;
    case ConfigTable::moldau:
      return generated::moldau_table;
    case ConfigTable::topic:
      return generated::topic_table;
    case ConfigTable::group:
      return generated::group_table;
    case ConfigTable::client_metrics:
      return generated::client_metrics_table;
    case ConfigTable::user_client_quota:
      return generated::user_client_quota_table;
    case ConfigTable::ip_quota:
      return generated::ip_quota_table;
  }
  MOLDAU_UNREACHABLE("every table has its case");
}

const ConfigKey* find_config_key(ConfigTable table, std::string_view name) {
  return search(config_keys(table), name);
}

const ConfigKey* find_node_key(std::string_view name) {
  if (const auto* key = search(generated::broker_table, name)) return key;
  if (const auto* key = search(generated::moldau_table, name)) return key;
  if (const auto base = without_listener_prefix(name); !base.empty())
    return search(generated::broker_table, base);
  return nullptr;
}

const RemovedKey* find_removed_key(std::string_view name) {
  for (const auto& key : generated::removed_table) {
    const bool matches = key.name.ends_with('*') ? name.starts_with(key.name.substr(0, key.name.size() - 1))
                                                 : name == key.name;
    if (matches) return &key;
  }
  return nullptr;
}

std::string_view nearest_node_key(std::string_view name) {
  if (name.empty() || name.size() > longest_name) return {};
  std::string_view nearest;
  std::size_t least = std::min(name.size() / 3 + 1, furthest);
  for (const auto table : {ConfigTable::moldau, ConfigTable::broker}) {
    for (const auto& key : config_keys(table)) {
      if (key.internal) continue;
      const auto distance = edit_distance(name, key.name, least);
      if (distance < least) {
        least = distance;
        nearest = key.name;
      }
    }
  }
  return nearest;
}

}  // namespace moldau::metadata
