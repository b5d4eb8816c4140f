#include "metadata/config/topic_defaults.h"

#include <algorithm>

#include "base/assert.h"
#include "metadata/config/config_tables.h"

namespace moldau::metadata {
namespace {

int64_t milliseconds_in(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::same:
      return 1;
    case TimeUnit::minutes:
      return 60 * 1000;
    case TimeUnit::hours:
      return 60 * 60 * 1000;
  }
  MOLDAU_UNREACHABLE("every unit has its length");
}

TopicCompression compression_of(std::string_view name) {
  if (name == "uncompressed") return TopicCompression::uncompressed;
  if (name == "gzip") return TopicCompression::gzip;
  if (name == "snappy") return TopicCompression::snappy;
  if (name == "lz4") return TopicCompression::lz4;
  if (name == "zstd") return TopicCompression::zstd;
  MOLDAU_ASSERT(name == "producer");
  return TopicCompression::producer;
}

using Strings = std::vector<std::string>;
using Setter = void (*)(TopicConfig&, const ConfigValue&);

int32_t int_of(const ConfigValue& value) { return static_cast<int32_t>(std::get<int64_t>(value)); }
int64_t long_of(const ConfigValue& value) { return std::get<int64_t>(value); }
bool bool_of(const ConfigValue& value) { return std::get<bool>(value); }

struct Field {
  std::string_view key;
  Setter set;
};

// Where each key of the topic table goes, in the table's order.
constexpr Field fields[] = {
    {"cleanup.policy",
     [](TopicConfig& c, const ConfigValue& v) {
       const auto& policies = std::get<Strings>(v);
       c.cleanup_compact = std::ranges::find(policies, "compact") != policies.end();
       c.cleanup_delete = std::ranges::find(policies, "delete") != policies.end();
     }},
    {"compression.gzip.level",
     [](TopicConfig& c, const ConfigValue& v) { c.compression_gzip_level = int_of(v); }},
    {"compression.lz4.level",
     [](TopicConfig& c, const ConfigValue& v) { c.compression_lz4_level = int_of(v); }},
    {"compression.type",
     [](TopicConfig& c, const ConfigValue& v) {
       c.compression_type = compression_of(std::get<std::string>(v));
     }},
    {"compression.zstd.level",
     [](TopicConfig& c, const ConfigValue& v) { c.compression_zstd_level = int_of(v); }},
    {"delete.retention.ms", [](TopicConfig& c, const ConfigValue& v) { c.delete_retention_ms = long_of(v); }},
    {"file.delete.delay.ms",
     [](TopicConfig& c, const ConfigValue& v) { c.file_delete_delay_ms = long_of(v); }},
    {"flush.messages", [](TopicConfig& c, const ConfigValue& v) { c.flush_messages = long_of(v); }},
    {"flush.ms", [](TopicConfig& c, const ConfigValue& v) { c.flush_ms = long_of(v); }},
    {"follower.replication.throttled.replicas",
     [](TopicConfig& c, const ConfigValue& v) {
       c.follower_replication_throttled_replicas = std::get<Strings>(v);
     }},
    {"index.interval.bytes",
     [](TopicConfig& c, const ConfigValue& v) { c.index_interval_bytes = int_of(v); }},
    {"internal.segment.bytes",
     [](TopicConfig& c, const ConfigValue& v) {
       c.internal_segment_bytes.reset();
       if (!std::holds_alternative<std::monostate>(v)) c.internal_segment_bytes = int_of(v);
     }},
    {"leader.replication.throttled.replicas",
     [](TopicConfig& c, const ConfigValue& v) {
       c.leader_replication_throttled_replicas = std::get<Strings>(v);
     }},
    {"local.retention.bytes",
     [](TopicConfig& c, const ConfigValue& v) { c.local_retention_bytes = long_of(v); }},
    {"local.retention.ms", [](TopicConfig& c, const ConfigValue& v) { c.local_retention_ms = long_of(v); }},
    {"max.compaction.lag.ms",
     [](TopicConfig& c, const ConfigValue& v) { c.max_compaction_lag_ms = long_of(v); }},
    {"max.message.bytes", [](TopicConfig& c, const ConfigValue& v) { c.max_message_bytes = int_of(v); }},
    {"message.timestamp.after.max.ms",
     [](TopicConfig& c, const ConfigValue& v) { c.message_timestamp_after_max_ms = long_of(v); }},
    {"message.timestamp.before.max.ms",
     [](TopicConfig& c, const ConfigValue& v) { c.message_timestamp_before_max_ms = long_of(v); }},
    {"message.timestamp.type",
     [](TopicConfig& c, const ConfigValue& v) {
       c.message_timestamp_type = std::get<std::string>(v) == "LogAppendTime" ? TimestampType::log_append_time
                                                                              : TimestampType::create_time;
     }},
    {"min.cleanable.dirty.ratio",
     [](TopicConfig& c, const ConfigValue& v) { c.min_cleanable_dirty_ratio = std::get<double>(v); }},
    {"min.compaction.lag.ms",
     [](TopicConfig& c, const ConfigValue& v) { c.min_compaction_lag_ms = long_of(v); }},
    {"min.insync.replicas", [](TopicConfig& c, const ConfigValue& v) { c.min_insync_replicas = int_of(v); }},
    {"moldau.durable.acks", [](TopicConfig& c, const ConfigValue& v) { c.durable_acks = bool_of(v); }},
    {"preallocate", [](TopicConfig& c, const ConfigValue& v) { c.preallocate = bool_of(v); }},
    {"remote.log.copy.disable",
     [](TopicConfig& c, const ConfigValue& v) { c.remote_log_copy_disable = bool_of(v); }},
    {"remote.log.delete.on.disable",
     [](TopicConfig& c, const ConfigValue& v) { c.remote_log_delete_on_disable = bool_of(v); }},
    {"remote.storage.enable",
     [](TopicConfig& c, const ConfigValue& v) { c.remote_storage_enable = bool_of(v); }},
    {"retention.bytes", [](TopicConfig& c, const ConfigValue& v) { c.retention_bytes = long_of(v); }},
    {"retention.ms", [](TopicConfig& c, const ConfigValue& v) { c.retention_ms = long_of(v); }},
    {"segment.bytes", [](TopicConfig& c, const ConfigValue& v) { c.segment_bytes = int_of(v); }},
    {"segment.index.bytes", [](TopicConfig& c, const ConfigValue& v) { c.segment_index_bytes = int_of(v); }},
    {"segment.jitter.ms", [](TopicConfig& c, const ConfigValue& v) { c.segment_jitter_ms = long_of(v); }},
    {"segment.ms", [](TopicConfig& c, const ConfigValue& v) { c.segment_ms = long_of(v); }},
    {"unclean.leader.election.enable",
     [](TopicConfig& c, const ConfigValue& v) { c.unclean_leader_election_enable = bool_of(v); }},
};

const Field& field_of(std::string_view key) {
  const auto found = std::ranges::lower_bound(fields, key, {}, &Field::key);
  MOLDAU_ASSERT_MSG(found != std::end(fields) && found->key == key,
                    "every key of the topic table has a field");
  return *found;
}

}  // namespace

ConfigValue topic_default_value(const ConfigKey& key, const ConfigMap& broker) {
  for (const auto& synonym : key.broker_keys) {
    if (!find_given(broker, synonym.name)) continue;
    auto value = node_value(broker, synonym.name);
    if (auto* number = std::get_if<int64_t>(&value)) {
      if (__builtin_mul_overflow(*number, milliseconds_in(synonym.unit), number)) *number = INT64_MAX;
      if (key.name == "retention.ms" && *number < 0) *number = -1;
    }
    return value;
  }
  return default_config_value(key);
}

int64_t topic_default_integer(std::string_view name, const ConfigMap& broker) {
  const auto* key = find_config_key(ConfigTable::topic, name);
  MOLDAU_ASSERT(key);
  return std::get<int64_t>(topic_default_value(*key, broker));
}

TopicConfig topic_defaults(const ConfigMap& broker) {
  TopicConfig config;
  for (const auto& key : config_keys(ConfigTable::topic))
    field_of(key.name).set(config, topic_default_value(key, broker));
  return config;
}

TopicConfig topic_config(const TopicConfig& defaults, const ConfigMap& overrides) {
  TopicConfig config = defaults;
  for (const auto& [name, text] : overrides) {
    const auto* key = find_config_key(ConfigTable::topic, name);
    if (!key) continue;
    if (const auto value = parse_config_value(*key, text)) field_of(name).set(config, *value);
  }
  return config;
}

}  // namespace moldau::metadata
