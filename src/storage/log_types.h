// What goes into a Log and comes out of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/uuid.h"
#include "runtime/environment.h"
#include "runtime/trusted_clock.h"
#include "storage/directory_health.h"
#include "storage/log_config.h"
#include "storage/producer_entry.h"

namespace moldau::storage {

class OpenFiles;

// What a log needs to be opened.
struct LogOptions {
  runtime::Environment* environment = nullptr;
  OpenFiles* open_files = nullptr;  // of the shard that the log lives on
  DirectoryHealthPtr health;        // of the log directory
  std::string directory;            // the partition's: LOG_DIR/TOPIC-PARTITION
  std::string topic;
  int32_t partition = 0;
  std::optional<Uuid> topic_id;     // known from metadata; checked against partition.metadata, written if that is missing
  LogConfig config;
  ProducerStateConfig producers;
  // What the directory's checkpoints say; 0 where they say nothing.
  Offset recovery_point{0};
  Offset log_start_offset{0};
  Offset high_watermark{0};
  bool had_clean_shutdown = false;
  // No clean stop, but the process was only killed: all that it wrote is in the page cache (run_file.h). Only the end of
  // the log can be torn, and what lies before it is not read.
  bool was_only_killed = false;
  // A flush had failed before the stop, and the page cache may hold what the medium never got: it is written again.
  bool had_failed_flush = false;
  uint64_t replay_limit_bytes = 2 << 20;  // what a start after a kill reads of headers at most, or nearly so
  const runtime::TrustedClock* clock = nullptr;  // what ages are reckoned by; null: the wall clock
};

// What loading found out that someone should know.
struct LoadReport {
  uint32_t segments = 0;
  uint32_t segments_recovered = 0;  // read whole, because they may not have been flushed
  uint64_t bytes_checked = 0;       // of the end of a log whose process was killed
  uint32_t segments_rewritten = 0;  // after a flush that failed
  uint64_t bytes_cut = 0;           // a torn tail above the recovery point
  uint32_t segments_cut = 0;        // whole segments behind it
  std::vector<std::string> damage;  // what is broken below the recovery point, and was left as it is
};

struct LeaderAppend {
  MutableByteView records;      // one batch; changed in place (offset, epoch, time); stays until the append has finished
  LeaderEpoch leader_epoch;
  AppendOrigin origin = AppendOrigin::client;
  uint64_t verification_guard = 0;
  int transaction_version = -1;  // at which a coordinator writes markers; -1 for clients
};

struct AppendInfo {
  Offset first_offset = no_offset;  // no_offset: nothing was appended
  Offset last_offset = no_offset;
  int64_t max_timestamp_ms = -1;
  int64_t log_append_time_ms = -1;  // set for message.timestamp.type=LogAppendTime, and for a recognised repeat
  Offset log_start_offset;
  LeaderEpoch last_leader_epoch = no_leader_epoch;
  bool is_duplicate = false;        // the batch was in the log already; the offsets are its own
  uint32_t size_bytes = 0;          // of what was written
};

// How far a reader may see.
enum class ReadIsolation : uint8_t { log_end, high_watermark, committed };

struct AbortedRange {
  ProducerId producer_id;
  Offset first_offset;
  friend bool operator==(const AbortedRange&, const AbortedRange&) = default;
};

// Bytes of the log, still in their file. The file stays readable while `file` is held, also if its segment is deleted.
// It may have become shorter meanwhile (truncation): then a read gives fewer bytes than promised.
struct ReadInfo {
  runtime::FilePtr file;  // null if there is nothing to read
  uint64_t position = 0;
  uint32_t size_bytes = 0;
  bool is_first_batch_incomplete = false;
  // Of the batch at `position`, which may begin before the offset asked for; of magic 0 and 1 its last offset.
  Offset first_batch_offset = no_offset;
  std::vector<AbortedRange> aborted;      // for ReadIsolation::committed
  Offset high_watermark;
  Offset last_stable_offset;
  Offset log_start_offset;
  Offset log_end_offset;
};

struct FoundOffset {
  int64_t timestamp_ms = -1;
  Offset offset = no_offset;
  LeaderEpoch leader_epoch = no_leader_epoch;
  friend bool operator==(const FoundOffset&, const FoundOffset&) = default;
};

// The special timestamps of ListOffsets.
inline constexpr int64_t latest_timestamp = -1;
inline constexpr int64_t earliest_timestamp = -2;
inline constexpr int64_t max_timestamp = -3;
inline constexpr int64_t earliest_local_timestamp = -4;
inline constexpr int64_t latest_tiered_timestamp = -5;
inline constexpr int64_t earliest_pending_upload_timestamp = -6;

struct ActiveProducer {
  ProducerId producer_id;
  ProducerEpoch epoch;
  int32_t last_sequence = -1;
  int64_t last_timestamp_ms = -1;
  int32_t coordinator_epoch = -1;
  Offset transaction_start_offset = no_offset;
};

// Records that are in the log and cannot be read.
struct QuarantinedRange {
  Offset first_offset;
  Offset end_offset;  // behind the last of them
  std::string file;
  uint32_t position = 0;
  uint32_t size_bytes = 0;
  std::string reason;
};

struct SegmentInfo {
  Offset base_offset;
  uint32_t size_bytes = 0;
};

}  // namespace moldau::storage
