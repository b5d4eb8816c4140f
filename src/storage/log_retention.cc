// What goes from the front of a log: the log start moves, and segments that nobody may read any more are deleted.
#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "storage/log.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::task;

task<log_result<bool>> Log::delete_records_before(Offset offset) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  if (offset > high_watermark_.offset)
    co_return fail(Error(ErrorCode::offset_out_of_range,
                         fmt::format("the log start of {}-{} cannot become {}, the high watermark is {}", topic(),
                                     partition(), offset, high_watermark_.offset)));
  const auto held = co_await mutex_.lock();
  if (is_closed_) co_return fail(closed_error());
  if (offset <= log_start_offset_) co_return false;
  if (auto moved = co_await advance_log_start(offset); !moved) co_return fail(noted(std::move(moved.error())));
  co_return true;
}

task<log_result<>> Log::advance_log_start(Offset to) {
  if (to <= log_start_offset_) co_return log_result<>{};
  set_log_start(to);
  if (epochs_.truncate_from_start(to)) epochs_changed_ = true;
  producers_.log_start_moved(to);
  last_snapshot_ = snapshots_.empty() ? to : snapshots_.back();
  update_first_unstable();
  co_return co_await write_epochs_if_room();
}

// Renames the segments' files and forgets them; no file goes before its delay is over.
task<log_result<>> Log::remove_segments(std::vector<SegmentPtr> removed) {
  const int64_t due_ms = now_ms() + config().file_delete_delay_ms;
  for (const SegmentPtr& segment : removed) {
    MOLDAU_CO_CHECK(co_await segment->change_stage(FileStage::deleted));
    for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index})
      deleted_files_.push_back({due_ms, file_path(directory(), segment->base_offset(), kind, FileStage::deleted)});
    segments_.erase(segment->base_offset());
  }
  co_return log_result<>{};
}

task<log_result<>> Log::remove_deleted_files(int64_t now_ms) {
  while (!deleted_files_.empty() && deleted_files_.front().due_ms <= now_ms) {
    const std::string path = deleted_files_.front().path;
    deleted_files_.erase(deleted_files_.begin());
    const auto removed = co_await files().remove(path);
    if (!removed && removed.error().error_number != ENOENT) co_return fail(noted(Error(removed.error())));
  }
  co_return log_result<>{};
}

// Deletes the `count` oldest segments; if they are all there is, a new one begins first. What their producers sent is kept on
// disk before they go; where the disk is too full for that, right after they have gone, without the delay.
task<log_result<int>> Log::delete_prefix(size_t count) {
  if (count == 0) co_return 0;
  if (count == segments_.size()) MOLDAU_CO_CHECK(co_await roll_locked(end_.offset));
  MOLDAU_ASSERT(count < segments_.size());
  std::vector<SegmentPtr> removed;
  auto at = segments_.begin();
  for (size_t i = 0; i < count; ++i, ++at) removed.push_back(at->second);
  const Offset first_kept = at->first;
  auto kept = co_await keep_producers(first_kept);
  const bool is_full = !kept && kept.error().io_error_number == ENOSPC;
  if (!kept && !is_full) co_return fail(std::move(kept.error()));
  MOLDAU_CO_CHECK(co_await advance_log_start(first_kept));
  if (first_kept > durable_end_) removed_below_ = first_kept;
  MOLDAU_CO_CHECK(co_await remove_segments(removed));
  MOLDAU_CO_CHECK(co_await delete_snapshots_of(removed));
  if (is_full) {
    MOLDAU_CO_CHECK(co_await remove_deleted_files(INT64_MAX));
    if (kept = co_await keep_producers(first_kept); !kept) {
      if (kept.error().io_error_number != ENOSPC) co_return fail(std::move(kept.error()));
      log_warning("{}: no room for a snapshot of the producers whose records went: {}", directory(), kept.error().message);
    }
    MOLDAU_CO_CHECK(co_await write_epochs_if_room());
  }
  co_return static_cast<int>(count);
}

task<log_result<int>> Log::delete_old_segments() {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto held = co_await mutex_.lock();
  if (is_closed_) co_return 0;
  auto deleted = co_await delete_old_segments_locked();
  if (!deleted) co_return fail(noted(std::move(deleted.error())));
  co_return *deleted;
}

task<log_result<int>> Log::delete_old_segments_locked() {
  // Segments go in order, from the front, and none that holds something at or above the high watermark.
  const auto may_go = [this](std::map<Offset, SegmentPtr>::const_iterator at) {
    const auto next = std::next(at);
    if (next == segments_.end() && end_.offset == at->first) return false;  // without a record none can follow it
    return high_watermark_.offset >= (next == segments_.end() ? end_.offset : next->first);
  };
  size_t count = 0;
  for (auto at = segments_.cbegin(); at != segments_.cend() && may_go(at); ++at, ++count) {
    const auto next = std::next(at);
    if (next == segments_.cend() || next->first > log_start_offset_) break;
  }
  if (count > 0) log_info("{}: deleting {} segments below log start {}", directory(), count, log_start_offset_);
  MOLDAU_CO_TRY(int deleted, co_await delete_prefix(count));
  if (!config().is_deleted) co_return deleted;

  if (config().retention_bytes >= 0 && size_bytes() >= static_cast<uint64_t>(config().retention_bytes)) {
    auto excess = static_cast<int64_t>(size_bytes()) - config().retention_bytes;
    count = 0;
    for (auto at = segments_.cbegin(); at != segments_.cend() && may_go(at); ++at, ++count) {
      if (excess < (MOLDAU_MUTANT("retention-one-segment-too-many") ? 1 : int64_t{at->second->size_bytes()})) break;
      excess -= at->second->size_bytes();
    }
    if (count > 0)
      log_info("{}: deleting {} segments beyond retention.bytes {}", directory(), count, config().retention_bytes);
    MOLDAU_CO_TRY(const int by_size, co_await delete_prefix(count));
    deleted += by_size;
  }

  if (config().retention_ms >= 0) {
    const int64_t now = expiry_now_ms();
    count = 0;
    for (auto at = segments_.cbegin(); at != segments_.cend() && may_go(at); ++at, ++count) {
      const SegmentPtr segment = at->second;
      MOLDAU_CO_TRY(const int64_t largest_ms, co_await (MOLDAU_MUTANT("retention-by-time-of-file") ? segment->modified_ms()
                                                                                                  : segment->largest_timestamp_ms()));
      if (now - largest_ms <= config().retention_ms / (MOLDAU_MUTANT("retention-too-early") ? 2 : 1)) break;
    }
    if (count > 0)
      log_info("{}: deleting {} segments older than retention.ms {}", directory(), count, config().retention_ms);
    MOLDAU_CO_TRY(const int by_age, co_await delete_prefix(count));
    deleted += by_age;
  }
  co_return deleted;
}

}  // namespace moldau::storage
