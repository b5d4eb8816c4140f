// The configuration of one topic, typed, as its partitions and the controller use it. Plain data, made by
// resolve_topic_config() from all the places where a value can be set; made again whenever one of them
// changes.
//
// Names and units are Kafka's: `_ms` milliseconds, `_bytes` bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moldau::metadata {

enum class TimestampType : int8_t { create_time = 0, log_append_time = 1 };

// The numbers up to zstd are those in a batch's attributes.
enum class TopicCompression : int8_t {
  uncompressed = 0,
  gzip = 1,
  snappy = 2,
  lz4 = 3,
  zstd = 4,
  producer = 5
};

struct TopicConfig {
  bool cleanup_delete = true;  // cleanup.policy; neither: kept for ever
  bool cleanup_compact = false;
  TopicCompression compression_type = TopicCompression::producer;
  int32_t compression_gzip_level = -1;
  int32_t compression_lz4_level = 9;
  int32_t compression_zstd_level = 3;
  int64_t delete_retention_ms = 86400000;
  int64_t file_delete_delay_ms = 60000;
  int64_t flush_messages = INT64_MAX;
  int64_t flush_ms = INT64_MAX;
  int32_t index_interval_bytes = 4096;
  std::optional<int32_t> internal_segment_bytes;  // round the lower limit of segment.bytes; for tests
  int64_t local_retention_bytes = -2;             // -2: as retention_bytes
  int64_t local_retention_ms = -2;                // -2: as retention_ms
  int64_t max_compaction_lag_ms = INT64_MAX;
  int32_t max_message_bytes = 1048588;
  int64_t message_timestamp_after_max_ms = 3600000;
  int64_t message_timestamp_before_max_ms = INT64_MAX;
  TimestampType message_timestamp_type = TimestampType::create_time;
  double min_cleanable_dirty_ratio = 0.5;
  int64_t min_compaction_lag_ms = 0;
  int32_t min_insync_replicas = 1;
  bool preallocate = false;
  bool remote_log_copy_disable = false;
  bool remote_log_delete_on_disable = false;
  bool remote_storage_enable = false;
  int64_t retention_bytes = -1;      // -1: no limit
  int64_t retention_ms = 604800000;  // -1: no limit
  int32_t segment_bytes = 1073741824;
  int32_t segment_index_bytes = 10485760;
  int64_t segment_jitter_ms = 0;
  int64_t segment_ms = 604800000;
  bool unclean_leader_election_enable = false;
  bool durable_acks = false;  // moldau.durable.acks
  std::vector<std::string> leader_replication_throttled_replicas;
  std::vector<std::string> follower_replication_throttled_replicas;

  // internal.segment.bytes, or segment.bytes.
  [[nodiscard]] int32_t effective_segment_bytes() const {
    return internal_segment_bytes.value_or(segment_bytes);
  }

  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

}  // namespace moldau::metadata
