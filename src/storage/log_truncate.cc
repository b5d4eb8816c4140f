// Taking records back: a follower whose history differs from its leader's, and a log that begins anew.
//
// What is taken back is put on stable storage before anything takes its place. Else a power cut could bring back a part of it
// behind records of the new history, where offsets and checksums fit. Segments go from the last to the first, so that a stop
// in between leaves no hole.
#include "base/log.h"
#include "base/mutant.h"
#include "storage/log.h"

namespace moldau::storage {

using runtime::task;

task<log_result<bool>> Log::truncate_to(Offset offset) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto held = co_await mutex_.lock();
  auto done = co_await truncate_locked(offset);
  if (!done) co_return fail(noted(std::move(done.error())));
  co_return *done;
}

// From the last one on, down to `first`.
std::vector<SegmentPtr> Log::segments_from_end(std::map<Offset, SegmentPtr>::const_iterator first) const {
  std::vector<SegmentPtr> found;
  for (auto at = segments_.cend(); at != first;) found.push_back((--at)->second);
  return found;
}

task<log_result<>> Log::sync_active() {
  MOLDAU_CO_TRY(const runtime::FilePtr file, co_await active().log_file());
  if (const auto synced = co_await file->sync(); !synced) co_return fail(co_await flush_failed(synced.error()));
  co_return log_result<>{};
}

task<log_result<bool>> Log::truncate_locked(Offset offset) {
  if (offset >= end_.offset) {
    if (epochs_.truncate_from_end(end_.offset)) epochs_changed_ = true;
    MOLDAU_CO_CHECK(co_await write_epochs());
    co_return false;
  }
  log_info("{}: truncating from log end {} to {}", directory(), end_.offset, offset);
  if (segments_.begin()->first > offset) {
    MOLDAU_CO_CHECK(co_await truncate_fully_locked(offset));
    co_return true;
  }
  ++truncations_;
  const std::vector<SegmentPtr> removed = segments_from_end(segments_.upper_bound(offset));
  MOLDAU_CO_CHECK(co_await remove_segments(removed));
  if (!removed.empty()) MOLDAU_CO_CHECK(co_await files().sync_directory(directory()));
  MOLDAU_CO_TRY(const uint32_t cut_bytes, co_await active().truncate_to(offset, now_ms()));
  if (!MOLDAU_MUTANT("truncation-unsynced")) MOLDAU_CO_CHECK(co_await sync_active());
  log_info("{}: {} segments and {} bytes cut", directory(), removed.size(), cut_bytes);
  set_end(offset);
  ++truncations_;  // also for what began meanwhile, when the end was still the old one
  // A truncation into a batch takes all of it, and no record reaches to the end.
  MOLDAU_CO_TRY(const Offset records_end, co_await active().read_next_offset());
  recordless_ = {records_end, offset};
  recovery_point_ = std::min({recovery_point_, offset, records_end});
  durable_end_ = std::min({durable_end_, offset, records_end});
  MOLDAU_CO_CHECK(co_await delete_snapshots_of(removed));
  if (epochs_.truncate_from_end(offset)) epochs_changed_ = true;
  MOLDAU_CO_CHECK(co_await write_epochs());
  log_start_offset_ = std::min(log_start_offset_, offset);
  MOLDAU_CO_CHECK(co_await rebuild_producers(offset, false));
  // A snapshot of the old history must not come back when the new one has reached its offset.
  MOLDAU_CO_CHECK(co_await files().sync_directory(directory()));
  if (high_watermark_.offset >= end_.offset) set_high_watermark(end_);
  // The transactions that were read again and whose markers are replicated hold no reader back.
  producers_.high_watermark_moved(high_watermark_.offset);
  update_first_unstable();
  // Where these are may lie in what was cut.
  if (high_watermark_.offset < end_.offset) high_watermark_ = {high_watermark_.offset};
  unstable_place_ = {first_unstable_.value_or(Offset{0})};
  co_return true;
}

task<log_result<>> Log::truncate_fully_and_start_at(Offset offset) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto held = co_await mutex_.lock();
  if (auto done = co_await truncate_fully_locked(offset); !done) co_return fail(noted(std::move(done.error())));
  co_return log_result<>{};
}

task<log_result<>> Log::truncate_fully_locked(Offset offset) {
  log_info("{}: forgetting everything up to log end {}, going on at {}", directory(), end_.offset, offset);
  ++truncations_;
  const std::vector<SegmentPtr> removed = segments_from_end(segments_.begin());
  MOLDAU_CO_CHECK(co_await remove_segments(removed));
  SegmentPtr fresh = make_segment(offset);
  MOLDAU_CO_CHECK(co_await fresh->create());
  segments_.emplace(offset, std::move(fresh));
  MOLDAU_CO_CHECK(co_await files().sync_directory(directory()));
  set_end(offset);
  ++truncations_;
  recovery_point_ = std::min(recovery_point_, offset);
  durable_end_ = std::min(durable_end_, offset);
  epochs_.clear();
  epochs_changed_ = true;
  MOLDAU_CO_CHECK(co_await write_epochs());
  const std::vector<Offset> all = snapshots_;
  for (const Offset snapshot : all) MOLDAU_CO_CHECK(co_await remove_snapshot(snapshot));
  producers_.clear(offset);
  last_snapshot_ = Offset(0);
  log_start_offset_ = offset;
  MOLDAU_CO_CHECK(co_await rebuild_producers(offset, false));
  set_high_watermark(end_);
  co_return log_result<>{};
}

}  // namespace moldau::storage
