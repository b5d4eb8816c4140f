#include "storage/leader_check.h"

#include "base/assert.h"

namespace moldau::storage {

namespace {

protocol::AppendOrigin to_protocol(AppendOrigin origin) {
  switch (origin) {
    case AppendOrigin::client: return protocol::AppendOrigin::client;
    case AppendOrigin::coordinator: return protocol::AppendOrigin::coordinator;
    case AppendOrigin::raft_leader: return protocol::AppendOrigin::raft_leader;
    case AppendOrigin::replication: break;
  }
  MOLDAU_UNREACHABLE("a follower's batches are taken as they are");
}

protocol::ValidationSettings settings_of(const LogConfig& config) {
  protocol::ValidationSettings settings;
  settings.max_message_bytes = config.max_message_bytes;
  settings.timestamp_type = config.timestamp_type == TimestampType::log_append_time
                                ? protocol::TimestampType::log_append_time
                                : protocol::TimestampType::create_time;
  settings.timestamp_before_max_ms = config.timestamp_before_max_ms;
  settings.timestamp_after_max_ms = config.timestamp_after_max_ms;
  settings.is_compacted = config.is_compacted;
  switch (config.compression) {
    case TargetCompression::producer: break;
    case TargetCompression::uncompressed: settings.codec = protocol::Codec::none; break;
    case TargetCompression::gzip:
      settings.codec = protocol::Codec::gzip;
      settings.codec_level = config.gzip_level;
      break;
    case TargetCompression::snappy: settings.codec = protocol::Codec::snappy; break;
    case TargetCompression::lz4:
      settings.codec = protocol::Codec::lz4;
      settings.codec_level = config.lz4_level;
      break;
    case TargetCompression::zstd:
      settings.codec = protocol::Codec::zstd;
      settings.codec_level = config.zstd_level;
      break;
  }
  return settings;
}

}  // namespace

LeaderCheck::LeaderCheck(MutableByteView batch, const LeaderAppend& append, const LogConfig& config, Offset first_offset,
                         int64_t clock_ms)
    : batch_(batch),
      origin_(to_protocol(append.origin)),
      settings_(settings_of(config)),
      first_offset_(first_offset),
      epoch_(append.leader_epoch),
      clock_ms_(clock_ms) {}

std::optional<LeaderCheck::Verdict> LeaderCheck::check_if_small() const {
  return protocol::validate_small_batch(batch_, origin_, settings_, first_offset_, epoch_, clock_ms_);
}

LeaderCheck::Verdict LeaderCheck::check() const {
  return protocol::validate_batch(batch_, origin_, settings_, first_offset_, epoch_, clock_ms_);
}

void LeaderCheck::take(protocol::ValidatedBatch valid, PreparedAppend& prepared) const {
  prepared.bytes = batch_;
  if (valid.rewritten) {
    prepared.rewritten = std::move(*valid.rewritten);
    prepared.bytes = prepared.rewritten;
  }
  prepared.single = valid.header;
  prepared.batches = std::span(&prepared.single, 1);
  prepared.first_offset = prepared.single.base_offset;
  prepared.last_offset = prepared.single.last_offset();
  prepared.max_timestamp_ms = prepared.single.max_timestamp_ms;
  if (settings_.timestamp_type == protocol::TimestampType::log_append_time)
    prepared.log_append_time_ms = prepared.single.max_timestamp_ms;
}

Error error_of(protocol::BatchRejection rejection) {
  std::vector<RecordError> records;
  records.reserve(rejection.record_errors.size());
  for (protocol::RecordError& error : rejection.record_errors)
    records.push_back({error.batch_index, std::move(error.message)});
  return Error(rejection.code, std::move(rejection.message), std::move(records));
}

}  // namespace moldau::storage
