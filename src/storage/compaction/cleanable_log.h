// CleanableLog: what there is to clean in a log, and how urgently; by this the filthiest log is found.
//
// The dirty part begins at the cleaner's checkpoint. It ends before the active segment, before the first segment that
// holds something unstable, and before the first one that is younger than min.compaction.lag.ms. Kafka: LogCleanerManager
// (cleanableOffsets, calculateCleanableBytes, maxCompactionDelay), LogToClean.
#pragma once

#include <optional>

#include "storage/compaction/log_cleaning.h"

namespace moldau::storage {

struct CleanableLog {
  CleaningRange range;
  bool is_checkpoint_wrong = false;  // below the log start or beyond the log end; the range begins at the log start
  uint64_t clean_bytes = 0;          // in segments that begin below the range
  uint64_t cleanable_bytes = 0;      // in the range's segments
  int64_t delay_ms = 0;              // since when max.compaction.lag.ms asks for a round; 0: not yet

  [[nodiscard]] double dirty_ratio() const {
    const uint64_t total = clean_bytes + cleanable_bytes;
    return total == 0 ? 0.0 : static_cast<double>(cleanable_bytes) / static_cast<double>(total);
  }
  // Whether a round is due. A range without bytes has nothing to clean.
  [[nodiscard]] bool is_due(const LogConfig& config) const {
    return cleanable_bytes > 0 && (delay_ms > 0 || dirty_ratio() > config.min_cleanable_dirty_ratio);
  }
};

// `checkpoint` is where the last round ended; null: there was none.
runtime::task<log_result<CleanableLog>> measure_cleanable(Log& log, std::optional<Offset> checkpoint, int64_t now_ms);

}  // namespace moldau::storage
