// One round of compaction of one log: build the offset map of the dirty part, then write every segment below its end again,
// group by group, and swap each group in.
//
// Runs on the log's shard and leaves the log's other business undisturbed: files are awaited, the work on their bytes runs
// off the shard a few blocks at a time, and the log's mutex is taken for the swaps alone. A round may end at any point without
// harm; what was swapped in stays. No other round of the same log may run meanwhile. Kafka: Cleaner.clean.
// docs/internals/compaction.md has the whole story.
#pragma once

#include <functional>
#include <memory>

#include "storage/compaction/batch_filter.h"
#include "storage/compaction/offset_map.h"
#include "storage/log.h"

namespace moldau::storage {

struct CleaningTerms {
  OffsetMapLimits map;
  uint32_t io_buffer_bytes = 256 * 1024;  // of a block that is read at once
  uint64_t turn_bytes = 4U << 20;         // that are read, block by block, before the shard hears of it again
  // Waits until so many bytes more may be read or written; none: no limit.
  std::function<runtime::task<void>(uint64_t bytes)> throttle;
  // Asked between turns; true ends the round.
  std::function<bool()> should_stop;
};

struct CleaningRange {
  Offset first_dirty;
  Offset first_uncleanable;  // the base of a segment
};

struct CleaningOutcome {
  bool is_finished = false;  // else it was stopped, or the log changed under it
  Offset next_dirty;         // where the next round begins
  CleaningCounts counts;     // of the second pass
  uint64_t map_bytes_read = 0;
  double map_utilization = 0;
};

// Cleans [first_dirty, first_uncleanable), or as much of it as the map holds. The log must be open until it ends.
runtime::task<log_result<CleaningOutcome>> clean_log(Log& log, CleaningRange range, const CleaningTerms& terms);

}  // namespace moldau::storage
