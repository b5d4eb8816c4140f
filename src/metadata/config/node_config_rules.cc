#include "metadata/config/node_config_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "metadata/config/host_port.h"
#include "metadata/config/topic_defaults.h"

namespace moldau::metadata {
namespace {

struct Order {
  std::string_view lower;
  std::string_view upper;
  bool strictly = false;  // equal is not enough
};

constexpr Order orders[] = {
    {"replica.fetch.wait.max.ms", "replica.socket.timeout.ms"},
    {"replica.fetch.wait.max.ms", "replica.lag.time.max.ms"},
    {"group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"},
    {"group.consumer.min.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms"},
    {"group.consumer.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"},
    {"group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"},
    {"group.consumer.min.session.timeout.ms", "group.consumer.session.timeout.ms"},
    {"group.consumer.session.timeout.ms", "group.consumer.max.session.timeout.ms"},
    {"group.consumer.heartbeat.interval.ms", "group.consumer.session.timeout.ms", true},
    {"group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"},
    {"group.share.min.heartbeat.interval.ms", "group.share.heartbeat.interval.ms"},
    {"group.share.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"},
    {"group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"},
    {"group.share.min.session.timeout.ms", "group.share.session.timeout.ms"},
    {"group.share.session.timeout.ms", "group.share.max.session.timeout.ms"},
    {"group.share.heartbeat.interval.ms", "group.share.session.timeout.ms", true},
    {"group.share.delivery.count.limit", "group.share.max.delivery.count.limit"},
    {"group.share.min.delivery.count.limit", "group.share.delivery.count.limit"},
    {"group.share.partition.max.record.locks", "group.share.max.partition.max.record.locks"},
    {"group.share.min.partition.max.record.locks", "group.share.partition.max.record.locks"},
    {"group.share.min.record.lock.duration.ms", "group.share.record.lock.duration.ms"},
    {"group.share.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"},
    {"group.share.max.size", "group.share.max.share.sessions"},
    {"group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms"},
    {"group.streams.min.heartbeat.interval.ms", "group.streams.heartbeat.interval.ms"},
    {"group.streams.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms"},
    {"group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms"},
    {"group.streams.min.session.timeout.ms", "group.streams.session.timeout.ms"},
    {"group.streams.session.timeout.ms", "group.streams.max.session.timeout.ms"},
    {"group.streams.heartbeat.interval.ms", "group.streams.session.timeout.ms", true},
    {"group.streams.num.standby.replicas", "group.streams.max.standby.replicas"},
    {"group.min.session.timeout.ms", "group.max.session.timeout.ms"},
};

constexpr Order dynamic_orders[] = {
    {"group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms"},
    {"group.consumer.min.assignment.interval.ms", "group.consumer.assignment.interval.ms"},
    {"group.consumer.assignment.interval.ms", "group.consumer.max.assignment.interval.ms"},
    {"group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms"},
    {"group.share.min.assignment.interval.ms", "group.share.assignment.interval.ms"},
    {"group.share.assignment.interval.ms", "group.share.max.assignment.interval.ms"},
    {"group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms"},
    {"group.streams.min.assignment.interval.ms", "group.streams.assignment.interval.ms"},
    {"group.streams.assignment.interval.ms", "group.streams.max.assignment.interval.ms"},
    {"log.cleaner.min.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms"},
};

void check_order(const ConfigMap& given, const Order& order, std::vector<std::string>& problems) {
  const auto lower = node_integer(given, order.lower);
  const auto upper = node_integer(given, order.upper);
  if (order.strictly ? lower < upper : lower <= upper) return;
  problems.push_back(fmt::format("{} ({}) must be {} {} ({})", order.lower, lower,
                                 order.strictly ? "less than" : "at most", order.upper, upper));
}

void check_connection_limits(const ConfigMap& given, std::vector<std::string>& problems) {
  const auto overrides = node_text(given, "max.connections.per.ip.overrides");
  for (const auto& entry : split_list(overrides)) {
    const auto colon = entry.rfind(':');
    const auto count = colon == std::string::npos
                           ? std::nullopt
                           : parse_integer(trimmed(entry.substr(colon + 1)), INT32_MIN, INT32_MAX);
    if (!count || !is_host_text(trimmed(std::string_view(entry).substr(0, colon))))
      problems.push_back(
          fmt::format("max.connections.per.ip.overrides: {} is not of the form ADDRESS:COUNT", entry));
  }
  if (node_integer(given, "max.connections.per.ip") == 0 && split_list(overrides).empty())
    problems.push_back(
        "max.connections.per.ip may be 0 only if max.connections.per.ip.overrides names who may connect");
}

void check_cordoned(const ConfigMap& given, std::vector<std::string>& problems) {
  const auto cordoned = node_list(given, "cordoned.log.dirs");
  if (std::ranges::find(cordoned, "*") != cordoned.end()) {
    if (cordoned.size() > 1) problems.push_back("When cordoned.log.dirs is set to *, it must not contain other values");
    return;
  }
  const auto directories = named_log_dirs(given);
  std::vector<std::string> missing;
  for (const auto& each : cordoned)
    if (std::ranges::find(directories, each) == directories.end()) missing.push_back(each);
  if (!missing.empty())
    problems.push_back(fmt::format("All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : {}",
                                   fmt::join(missing, ", ")));
}

}  // namespace

std::vector<std::string> named_log_dirs(const ConfigMap& given) {
  return node_list(given, find_given(given, "log.dirs") ? "log.dirs" : "log.dir");
}

std::vector<std::string> cordoned_log_dirs(const ConfigMap& given) {
  auto cordoned = node_list(given, "cordoned.log.dirs");
  return cordoned == std::vector<std::string>{"*"} ? named_log_dirs(given) : cordoned;
}

void check_rules_between_dynamic_keys(const ConfigMap& given, std::vector<std::string>& problems) {
  for (const auto& order : dynamic_orders) check_order(given, order, problems);
  if (topic_default_integer("segment.ms", given) < 1) problems.push_back("log.roll.ms must be at least 1");
  if (topic_default_integer("segment.jitter.ms", given) < 0)
    problems.push_back("log.roll.jitter.ms must be at least 0");
  if (topic_default_integer("retention.ms", given) == 0)
    problems.push_back("log.retention.ms must be at least 1, or -1 for no limit");
  const auto cleaners = node_integer(given, "log.cleaner.threads");
  if (cleaners < 1)
    problems.push_back("log.cleaner.threads must be at least 1");
  else if (node_integer(given, "log.cleaner.dedupe.buffer.size") / cleaners <= 1024 * 1024)
    problems.push_back(
        "log.cleaner.dedupe.buffer.size must be more than 1048576 bytes for each of log.cleaner.threads");
  check_connection_limits(given, problems);
  check_cordoned(given, problems);
}

void check_rules_between_keys(const ConfigMap& given, std::vector<std::string>& problems) {
  for (const auto& order : orders) check_order(given, order, problems);
  check_rules_between_dynamic_keys(given, problems);
  const auto heartbeat = node_integer(given, "broker.heartbeat.interval.ms");
  const auto session = node_integer(given, "broker.session.timeout.ms");
  if (heartbeat > session / 2)
    problems.push_back(fmt::format(
        "broker.heartbeat.interval.ms ({}) must be at most half of broker.session.timeout.ms ({})", heartbeat,
        session));
  const auto queued = node_integer(given, "queued.max.request.bytes");
  if (queued > 0 && queued < node_integer(given, "socket.request.max.bytes"))
    problems.push_back("queued.max.request.bytes must be at least socket.request.max.bytes");
  const auto idle = node_integer(given, "connections.max.idle.ms");
  if (idle >= 0 && node_integer(given, "connection.failed.authentication.delay.ms") >= idle)
    problems.push_back("connection.failed.authentication.delay.ms must be less than connections.max.idle.ms");
  const auto codec = node_integer(given, "offsets.topic.compression.codec");
  if (codec < 0 || codec > 4)
    problems.push_back(
        "offsets.topic.compression.codec must be 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)");
  if (node_list(given, "group.share.assignors").size() > 1)
    problems.push_back("group.share.assignors must name exactly one assignor");
}

}  // namespace moldau::metadata
