#include "metadata/config/config_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "metadata/config/config_tables.h"
#include "metadata/config/node_config_rules.h"
#include "metadata/config/topic_defaults.h"

namespace moldau::metadata {
namespace {

using protocol::ErrorCode;

ApiError invalid_config(std::string message) { return {ErrorCode::invalid_config, std::move(message)}; }
ApiError invalid_request(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

// Every key known to the table and every value allowed by it; `noun` is for the message.
ApiError check_each(const ConfigMap& settings, ConfigTable table, std::string_view noun) {
  for (const auto& [name, text] : settings)
    if (!find_config_key(table, name))
      return invalid_config(fmt::format("Unknown {} config name: {}", noun, name));
  for (const auto& [name, text] : settings)
    if (auto value = parse_config_value(*find_config_key(table, name), text); !value)
      return invalid_config(std::move(value.error().message));
  return {};
}

const ConfigKey* find_dynamic_key(std::string_view name) {
  const auto* key = find_node_key(name);
  return key ? key : find_config_key(ConfigTable::broker_dynamic, name);
}

// Kafka lets a pool of threads at most double or halve in one step.
constexpr std::string_view thread_counts[] = {"background.threads", "num.io.threads", "num.network.threads",
                                              "num.recovery.threads.per.data.dir", "num.replica.fetchers"};

ApiError check_thread_counts(const ConfigMap& now, const ConfigMap& then) {
  for (const auto name : thread_counts) {
    const auto before = node_integer(now, name);
    const auto after = node_integer(then, name);
    if (after > before * 2)
      return invalid_request(
          fmt::format("Invalid value {} for configuration {}: it should not be greater than double "
                      "the current value {}",
                      after, name, before));
    if (after < before / 2)
      return invalid_request(
          fmt::format("Invalid value {} for configuration {}: it should be at least half the current "
                      "value {}",
                      after, name, before));
  }
  return {};
}

// What Moldau cannot honour at all must not be accepted from a client either.
ApiError check_standing(const ConfigMap& dynamic) {
  for (const auto& [name, text] : dynamic) {
    const auto* key = find_node_key(name);
    if (!key) continue;
    if (key->name == "listeners" || key->name == "listener.security.protocol.map")
      return invalid_request(
          fmt::format("{} cannot be changed while this node runs: set it in the file and start again", name));
    if (key->standing != Standing::unbuilt && key->standing != Standing::refused) continue;
    if (const auto value = parse_config_value(*key, text); value && *value == default_config_value(*key))
      continue;
    return invalid_request(fmt::format("{} is not built: this node cannot honour it", name));
  }
  return {};
}

struct Bounds {
  std::string_view key;
  std::string_view least;  // the broker's key; empty: none
  std::string_view most;
};

constexpr Bounds group_bounds[] = {
    {"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms",
     "group.consumer.max.assignment.interval.ms"},
    {"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms",
     "group.consumer.max.heartbeat.interval.ms"},
    {"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms",
     "group.consumer.max.session.timeout.ms"},
    {"share.assignment.interval.ms", "group.share.min.assignment.interval.ms",
     "group.share.max.assignment.interval.ms"},
    {"share.delivery.count.limit", "group.share.min.delivery.count.limit",
     "group.share.max.delivery.count.limit"},
    {"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms",
     "group.share.max.heartbeat.interval.ms"},
    {"share.partition.max.record.locks", "group.share.min.partition.max.record.locks",
     "group.share.max.partition.max.record.locks"},
    {"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms",
     "group.share.max.record.lock.duration.ms"},
    {"share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"},
    {"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms",
     "group.streams.max.assignment.interval.ms"},
    {"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms",
     "group.streams.max.heartbeat.interval.ms"},
    {"streams.num.standby.replicas", "", "group.streams.max.standby.replicas"},
    {"streams.session.timeout.ms", "group.streams.min.session.timeout.ms",
     "group.streams.max.session.timeout.ms"},
};

constexpr std::pair<std::string_view, std::string_view> heartbeats_and_sessions[] = {
    {"consumer.heartbeat.interval.ms", "consumer.session.timeout.ms"},
    {"share.heartbeat.interval.ms", "share.session.timeout.ms"},
    {"streams.heartbeat.interval.ms", "streams.session.timeout.ms"},
};

int64_t group_value(const ConfigMap& settings, const ConfigMap& broker, std::string_view name) {
  const auto* key = find_config_key(ConfigTable::group, name);
  if (const auto* text = find_given(settings, name))
    return std::get<int64_t>(*parse_config_value(*key, *text));
  return std::get<int64_t>(topic_default_value(*key, broker));
}

constexpr std::string_view match_keys[] = {"client_id",
                                           "client_instance_id",
                                           "client_software_name",
                                           "client_software_version",
                                           "client_source_address",
                                           "client_source_port"};

// Not a whole parser of regular expressions: what is left open, or repeats nothing, is refused.
bool is_pattern(std::string_view text) {
  int groups = 0;
  bool in_class = false;
  if (!text.empty() && std::string_view("*+?").find(text.front()) != std::string_view::npos) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (++i == text.size()) return false;
    } else if (in_class) {
      in_class = text[i] != ']';
    } else if (text[i] == '[') {
      in_class = true;
    } else if (text[i] == '(') {
      ++groups;
    } else if (text[i] == ')' && --groups < 0) {
      return false;
    }
  }
  return !in_class && groups == 0;
}

}  // namespace

ApiError check_topic_configs(const ConfigMap& overrides, const ConfigMap& broker) {
  if (auto error = check_each(overrides, ConfigTable::topic, "topic"); !error.is_none()) return error;
  const auto config = topic_config(topic_defaults(broker), overrides);
  if (config.min_compaction_lag_ms > config.max_compaction_lag_ms)
    return invalid_config(
        fmt::format("conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
                    config.min_compaction_lag_ms, config.max_compaction_lag_ms));
  if (config.remote_storage_enable)
    return invalid_config("Tiered storage is not built: a topic cannot have remote.storage.enable=true");
  return {};
}

ApiError check_broker_configs(const ConfigMap& dynamic, bool of_one_broker, const ConfigMap& now,
                              const ConfigMap& then) {
  std::vector<std::string_view> fixed, without_prefix, of_one;
  for (const auto& [name, text] : dynamic) {
    if (is_read_only(name)) fixed.push_back(name);
    if (name.starts_with("ssl.") && is_per_broker_only(name)) without_prefix.push_back(name);
    if (!of_one_broker && is_per_broker_only(name)) of_one.push_back(name);
  }
  if (!fixed.empty())
    return invalid_request(
        fmt::format("Cannot update these configs dynamically: [{}]", fmt::join(fixed, ", ")));
  if (!without_prefix.empty())
    return invalid_request(
        fmt::format("These security configs can be dynamically updated only per-listener using the "
                    "listener prefix: [{}]",
                    fmt::join(without_prefix, ", ")));
  for (const auto& [name, text] : dynamic)
    if (const auto* key = find_dynamic_key(name))
      if (auto value = parse_config_value(*key, text); !value)
        return invalid_request(std::move(value.error().message));
  if (!of_one.empty())
    return invalid_request(
        fmt::format("Cannot update these configs at default cluster level, broker id must be "
                    "specified: [{}]",
                    fmt::join(of_one, ", ")));
  if (auto error = check_standing(dynamic); !error.is_none()) return error;
  std::vector<std::string> problems;
  check_rules_between_dynamic_keys(then, problems);
  if (!problems.empty()) return invalid_request(fmt::format("{}", fmt::join(problems, "; ")));
  return check_thread_counts(now, then);
}

ApiError check_group_configs(const ConfigMap& settings, const ConfigMap& broker) {
  if (auto error = check_each(settings, ConfigTable::group, "group"); !error.is_none()) return error;
  for (const auto& [key, least, most] : group_bounds) {
    if (!find_given(settings, key)) continue;
    const auto value = group_value(settings, broker, key);
    if (!least.empty() && value < node_integer(broker, least))
      return invalid_config(fmt::format("{} must be greater than or equal to {} ({})", key, least,
                                        node_integer(broker, least)));
    if (value > node_integer(broker, most))
      return invalid_config(
          fmt::format("{} must be less than or equal to {} ({})", key, most, node_integer(broker, most)));
  }
  for (const auto& [heartbeat, session] : heartbeats_and_sessions) {
    if (!find_given(settings, heartbeat) && !find_given(settings, session)) continue;
    if (group_value(settings, broker, session) <= group_value(settings, broker, heartbeat))
      return invalid_config(fmt::format("{} must be greater than {}", session, heartbeat));
  }
  return {};
}

ApiError check_client_metrics_configs(const ConfigMap& settings) {
  for (const auto& [name, text] : settings)
    if (!find_config_key(ConfigTable::client_metrics, name))
      return invalid_request(fmt::format("Unknown client metrics configuration: {}", name));
  if (auto error = check_each(settings, ConfigTable::client_metrics, "client metrics"); !error.is_none())
    return error;
  if (const auto* text = find_given(settings, "interval.ms")) {
    const auto interval = parse_integer(trimmed(*text), INT32_MIN, INT32_MAX).value_or(0);
    if (interval < 100 || interval > 3600000)
      return invalid_request(fmt::format(
          "Invalid value {} for interval.ms, interval must be between 100 and 3600000 (1 hour)", interval));
  }
  if (const auto* text = find_given(settings, "match"))
    for (const auto& entry : split_list(*text)) {
      const auto equals = entry.find('=');
      const auto key = trimmed(std::string_view(entry).substr(0, equals));
      if (equals == std::string::npos || entry.find('=', equals + 1) != std::string::npos ||
          std::ranges::find(match_keys, key) == std::end(match_keys) ||
          !is_pattern(trimmed(std::string_view(entry).substr(equals + 1))))
        return invalid_config(fmt::format("Illegal client matching pattern: {}", entry));
    }
  return {};
}

}  // namespace moldau::metadata
