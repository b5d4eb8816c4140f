#include "storage/compaction/cleanable_log.h"

#include <algorithm>

#include "base/mutant.h"

namespace moldau::storage {

using runtime::task;

namespace {

// The segments from the one that holds `from` on, without the active one.
std::vector<SegmentPtr> closed_segments_from(const Log& log, Offset from) {
  return from < log.active_base_offset() ? log.segments_between(from, log.active_base_offset()) : std::vector<SegmentPtr>();
}

uint64_t size_of(const std::vector<SegmentPtr>& segments) {
  uint64_t sum = 0;
  for (const SegmentPtr& segment : segments) sum += segment->size_bytes();
  return sum;
}

// The base of the first segment with a record newer than `newest_ms`; null if there is none.
task<log_result<std::optional<Offset>>> first_newer(std::vector<SegmentPtr> segments, int64_t newest_ms) {
  for (const SegmentPtr& segment : segments) {
    MOLDAU_CO_TRY(const int64_t largest_ms, co_await segment->largest_timestamp_ms());
    if (largest_ms > newest_ms) co_return segment->base_offset();
  }
  co_return std::optional<Offset>{};
}

task<log_result<int64_t>> delay_of(std::vector<SegmentPtr> dirty, int64_t due_before_ms) {
  int64_t earliest_ms = INT64_MAX;
  for (const SegmentPtr& segment : dirty) {
    MOLDAU_CO_TRY(const std::optional<int64_t> first_ms, co_await segment->first_batch_timestamp());
    if (first_ms && *first_ms > 0) earliest_ms = std::min(earliest_ms, *first_ms);
  }
  co_return earliest_ms < due_before_ms ? due_before_ms - earliest_ms : 0;
}

}  // namespace

task<log_result<CleanableLog>> measure_cleanable(Log& log, std::optional<Offset> checkpoint, int64_t now_ms) {
  CleanableLog found;
  Offset first_dirty = checkpoint.value_or(log.log_start_offset());
  if (first_dirty < log.log_start_offset() || first_dirty > log.log_end_offset()) {
    first_dirty = log.log_start_offset();
    found.is_checkpoint_wrong = true;
  }
  found.range.first_dirty = first_dirty;
  const LogConfig config = log.config();
  const Offset stable = MOLDAU_MUTANT("cleaner-passes-open-transactions") ? log.log_end_offset() : log.last_stable_offset();
  Offset uncleanable = std::min(stable, log.active_base_offset());
  if (config.min_compaction_lag_ms > 0) {
    MOLDAU_CO_TRY(const std::optional<Offset> young, co_await first_newer(closed_segments_from(log, first_dirty),
                                                                          now_ms - config.min_compaction_lag_ms));
    if (young) uncleanable = std::min(uncleanable, *young);
  }
  uncleanable = std::max(uncleanable, first_dirty);
  MOLDAU_CO_TRY(found.delay_ms, co_await delay_of(closed_segments_from(log, first_dirty),
                                                  now_ms - std::max<int64_t>(config.max_compaction_lag_ms, 0)));

  // Nothing is awaited from here on: the segments are counted as they are now.
  const std::vector<SegmentPtr> behind = closed_segments_from(log, uncleanable);
  const Offset end = behind.empty() ? log.active_base_offset() : behind.front()->base_offset();
  found.range.first_uncleanable = std::max(end, first_dirty);
  found.clean_bytes = size_of(log.segments_between(Offset(0), first_dirty));
  if (first_dirty < end) found.cleanable_bytes = size_of(log.segments_between(first_dirty, end));
  co_return found;
}

}  // namespace moldau::storage
