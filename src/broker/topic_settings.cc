#include "broker/topic_settings.h"

#include "metadata/config/topic_defaults.h"

namespace moldau::broker {

metadata::TopicConfig topic_defaults(const Broker& broker, const metadata::MetadataImage& image) {
  const auto& for_all = image.find_configs(metadata::ResourceType::broker, "");
  const auto& for_this = image.find_configs(metadata::ResourceType::broker, std::to_string(broker.config.node_id.value()));
  return metadata::topic_defaults(metadata::effective_broker_config(broker.given_config, for_all, for_this));
}

metadata::TopicConfig topic_config(const BrokerShard& shard, const metadata::MetadataImage& image, const std::string& topic) {
  return metadata::topic_config(shard.topic_defaults, image.find_configs(metadata::ResourceType::topic, topic));
}

storage::LogConfig log_config(const metadata::TopicConfig& config) {
  storage::LogConfig log;
  log.is_compacted = config.cleanup_compact;
  log.is_deleted = config.cleanup_delete;
  log.segment_bytes = static_cast<uint32_t>(config.effective_segment_bytes());
  log.segment_ms = config.segment_ms;
  log.segment_jitter_ms = config.segment_jitter_ms;
  log.segment_index_bytes = static_cast<uint32_t>(config.segment_index_bytes);
  log.index_interval_bytes = static_cast<uint32_t>(config.index_interval_bytes);
  log.retention_bytes = config.retention_bytes;
  log.retention_ms = config.retention_ms;
  log.max_message_bytes = config.max_message_bytes;
  log.flush_messages = config.flush_messages;
  log.flush_ms = config.flush_ms;
  log.file_delete_delay_ms = config.file_delete_delay_ms;
  log.timestamp_type = config.message_timestamp_type == metadata::TimestampType::log_append_time
                           ? storage::TimestampType::log_append_time
                           : storage::TimestampType::create_time;
  log.timestamp_before_max_ms = config.message_timestamp_before_max_ms;
  log.timestamp_after_max_ms = config.message_timestamp_after_max_ms;
  switch (config.compression_type) {
    case metadata::TopicCompression::producer: log.compression = storage::TargetCompression::producer; break;
    case metadata::TopicCompression::uncompressed: log.compression = storage::TargetCompression::uncompressed; break;
    case metadata::TopicCompression::gzip: log.compression = storage::TargetCompression::gzip; break;
    case metadata::TopicCompression::snappy: log.compression = storage::TargetCompression::snappy; break;
    case metadata::TopicCompression::lz4: log.compression = storage::TargetCompression::lz4; break;
    case metadata::TopicCompression::zstd: log.compression = storage::TargetCompression::zstd; break;
  }
  log.gzip_level = config.compression_gzip_level;
  log.lz4_level = config.compression_lz4_level;
  log.zstd_level = config.compression_zstd_level;
  log.min_compaction_lag_ms = config.min_compaction_lag_ms;
  log.max_compaction_lag_ms = config.max_compaction_lag_ms;
  log.min_cleanable_dirty_ratio = config.min_cleanable_dirty_ratio;
  log.delete_retention_ms = config.delete_retention_ms;
  return log;
}

groups::GroupConfig group_config(const metadata::NodeConfig& config) {
  const metadata::GroupsConfig& from = config.groups;
  groups::GroupConfig to;
  to.min_session_timeout_ms = from.group_min_session_timeout_ms;
  to.max_session_timeout_ms = from.group_max_session_timeout_ms;
  to.initial_rebalance_delay_ms = from.group_initial_rebalance_delay_ms;
  to.max_group_size = from.group_max_size;
  to.offset_metadata_max_length = from.offset_metadata_max_bytes;
  to.offsets_retention_ms = from.offsets_retention_ms;
  to.offsets_retention_check_interval_ms = from.offsets_retention_check_interval_ms;
  return to;
}

}  // namespace moldau::broker
