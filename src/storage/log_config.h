// LogConfig: the settings of a topic that its logs obey, as plain data with Kafka's defaults.
//
// The broker fills it from the topic's configuration; a Log takes a new one at any time (Log::update_config).
#pragma once

#include <cstdint>

namespace moldau::storage {

enum class TimestampType : uint8_t { create_time, log_append_time };

// compression.type: `producer` keeps what the client chose.
enum class TargetCompression : uint8_t { producer, uncompressed, gzip, snappy, lz4, zstd };

struct LogConfig {
  bool is_compacted = false;                       // cleanup.policy holds "compact"
  bool is_deleted = true;                          // cleanup.policy holds "delete"
  uint32_t segment_bytes = 1U << 30;               // segment.bytes (or internal.segment.bytes)
  int64_t segment_ms = 604'800'000;                // segment.ms
  int64_t segment_jitter_ms = 0;                   // segment.jitter.ms
  uint32_t segment_index_bytes = 10U << 20;        // segment.index.bytes
  uint32_t index_interval_bytes = 4096;            // index.interval.bytes
  int64_t retention_bytes = -1;                    // retention.bytes; -1: no limit
  int64_t retention_ms = 604'800'000;              // retention.ms; -1: no limit
  int32_t max_message_bytes = 1'048'588;           // max.message.bytes, of one batch
  int64_t flush_messages = INT64_MAX;              // flush.messages
  int64_t flush_ms = INT64_MAX;                    // flush.ms
  int64_t file_delete_delay_ms = 60'000;           // file.delete.delay.ms
  TimestampType timestamp_type = TimestampType::create_time;  // message.timestamp.type
  int64_t timestamp_before_max_ms = INT64_MAX;     // message.timestamp.before.max.ms
  int64_t timestamp_after_max_ms = 3'600'000;      // message.timestamp.after.max.ms
  TargetCompression compression = TargetCompression::producer;  // compression.type
  int32_t gzip_level = -1;                         // compression.gzip.level
  int32_t lz4_level = 9;                           // compression.lz4.level
  int32_t zstd_level = 3;                          // compression.zstd.level
  int64_t min_compaction_lag_ms = 0;               // min.compaction.lag.ms
  int64_t max_compaction_lag_ms = INT64_MAX;       // max.compaction.lag.ms
  double min_cleanable_dirty_ratio = 0.5;          // min.cleanable.dirty.ratio
  int64_t delete_retention_ms = 86'400'000;        // delete.retention.ms

  // How long a segment may stay active: segment.ms, or less for a compacted topic with a compaction deadline.
  [[nodiscard]] int64_t max_segment_ms() const {
    return is_compacted && max_compaction_lag_ms < segment_ms && max_compaction_lag_ms > 0 ? max_compaction_lag_ms
                                                                                           : segment_ms;
  }
};

// What is the same for all partitions of a node.
struct ProducerStateConfig {
  int64_t producer_id_expiration_ms = 86'400'000;     // producer.id.expiration.ms
  bool verify_transactions = true;                    // transaction.partition.verification.enable
};

}  // namespace moldau::storage
