// Beginning a new segment, and putting what was written on stable storage.
#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "storage/checkpoints.h"
#include "storage/log.h"
#include "storage/run_file.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::FilePtr;
using runtime::task;

task<log_result<Offset>> Log::roll() {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto held = co_await mutex_.lock();
  if (auto rolled = co_await roll_locked(end_.offset); !rolled) co_return fail(noted(std::move(rolled.error())));
  co_return active().base_offset();
}

task<log_result<>> Log::roll_locked(Offset at_least) {
  const Offset base = std::max(at_least, end_.offset);
  if (base == active().base_offset()) {
    // Damage that a clean stop hid from recovery; Apache Kafka fails the roll as well.
    if (active().size_bytes() != 0)
      co_return fail(Error(ErrorCode::corrupt_message, fmt::format("{} holds {} bytes and not one record, so that no segment can follow it",
                                                                   active().path(FileKind::log), active().size_bytes())));
    // Rolled because its index is too small for anything, or by hand: the empty segment is replaced.
    const SegmentPtr old = segments_.rbegin()->second;
    MOLDAU_CO_CHECK(co_await old->change_stage(FileStage::deleted));
    for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index})
      deleted_files_.push_back({now_ms() + config().file_delete_delay_ms,
                                file_path(directory(), base, kind, FileStage::deleted)});
    SegmentPtr fresh = make_segment(base);
    MOLDAU_CO_CHECK(co_await fresh->create());
    segments_[base] = std::move(fresh);
  } else {
    MOLDAU_ASSERT(base > active().base_offset());
    MOLDAU_CO_CHECK(co_await active().finish(config()));
    // If all before was flushed already, the flush in the background finds nothing to do, and what finish() has just
    // written to the indexes would never be.
    if (recovery_point_ >= base && !MOLDAU_MUTANT("rolled-index-unsynced")) {
      MOLDAU_CO_TRY(const std::vector<FilePtr> unsynced, co_await active().settle(config()));
      for (const FilePtr& file : unsynced) {
        if (const auto synced = co_await file->sync(); !synced) co_return fail(co_await flush_failed(synced.error()));
      }
    }
    for (const FileKind kind : {FileKind::offset_index, FileKind::time_index, FileKind::transaction_index}) {
      const auto removed = co_await files().remove(file_path(directory(), base, kind));
      if (!removed && removed.error().error_number != ENOENT) co_return fail(Error(removed.error()));
    }
    SegmentPtr fresh = make_segment(base);
    MOLDAU_CO_CHECK(co_await fresh->create());
    segments_.emplace(base, std::move(fresh));
  }
  set_end(end_.offset);
  producers_.set_end_offset(base);
  // Without it the state is read from the log after a crash; that is slower, not wrong.
  if (const auto snapshot = co_await write_snapshot(false); !snapshot) {
    options_.health->note(snapshot.error());
    log_warning("{} rolled without a snapshot of its producers: {}", directory(), snapshot.error().message);
  }
  follow_end_with_high_watermark();
  background_.spawn(flush_in_background(base));
  co_return log_result<>{};
}

task<> Log::flush_in_background(Offset below) {
  if (const auto flushed = co_await flush_below(below); !flushed)
    log_error("{} was not flushed: {}", directory(), flushed.error().message);
}

task<log_result<>> Log::flush() {
  const Offset end = end_.offset;
  co_return co_await flush_below(end);
}

bool Log::is_flush_due(int64_t now_ms) const {
  return end_.offset > recovery_point_ && now_ms - last_flush_ms_ >= config().flush_ms;
}

task<Error> Log::flush_failed(runtime::IoError error) {
  co_await record_failed_flush(files(), options_.health, error.message());
  co_return Error(error);
}

// What is named here belongs to the segments as they are now; nothing of it moves below `offset` but by truncation, which
// takes the recovery point back itself.
task<log_result<Log::Unsynced>> Log::unsynced_files(Offset from, Offset offset) {
  const auto held = co_await mutex_.lock();
  if (is_closed_) co_return Unsynced{};
  // A commit needs no such care: what it commits behind them lies in a new file.
  Unsynced unsynced{.has_new_names = removed_below_ > from, .active_base = active().base_offset()};
  for (const SegmentPtr& segment : segments_between(from, offset)) {
    auto settled = co_await segment->settle(config());
    if (!settled) co_return fail(noted(std::move(settled.error())));
    unsynced.files.insert(unsynced.files.end(), settled->begin(), settled->end());
    unsynced.has_new_names = unsynced.has_new_names || segment->base_offset() >= from;
  }
  for (const Offset snapshot : snapshots_) {
    if (snapshot <= from || snapshot > offset) continue;
    auto opened = co_await files().open(file_path(directory(), snapshot, FileKind::producer_snapshot), runtime::OpenMode::read_write);
    if (opened) unsynced.files.push_back(std::move(*opened));
  }
  co_return unsynced;
}

task<log_result<>> Log::flush_below(Offset offset) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto turn = co_await flushing_.lock();
  // The flush before this one may have failed. The system takes its pages for clean since then: to sync them again would
  // succeed and mean nothing.
  if (is_offline() && !MOLDAU_MUTANT("fsync-again-after-failure")) co_return fail(options_.health->offline_error());
  // It may have waited while the log was truncated: what takes the place of what went is written behind this flush.
  offset = std::min(offset, end_.offset);
  if (offset <= recovery_point_) co_return log_result<>{};
  const uint64_t truncations = truncations_;
  const Offset from = recovery_point_;
  while (true) {
    MOLDAU_CO_TRY(const Unsynced unsynced, co_await unsynced_files(from, offset));
    for (const FilePtr& file : unsynced.files) {
      if (const auto synced = co_await file->sync(); !synced && !MOLDAU_MUTANT("fsync-error-ignored"))
        co_return fail(co_await flush_failed(synced.error()));
    }
    if (unsynced.has_new_names && !MOLDAU_MUTANT("new-segment-directory-unsynced")) {
      if (const auto synced = co_await files().sync_directory(directory()); !synced)
        co_return fail(co_await flush_failed(synced.error()));
    }
    const auto held = co_await mutex_.lock();
    if (is_closed_ || truncations != truncations_ || offset <= recovery_point_) co_return log_result<>{};
    // The segment that was active may have been rolled meanwhile: what that wrote to its indexes, and its snapshot, belong
    // below the recovery point as well, and no later flush would look at them.
    const bool was_rolled = unsynced.active_base < offset && active().base_offset() != unsynced.active_base;
    if (was_rolled && !MOLDAU_MUTANT("roll-during-flush-unsynced")) continue;
    recovery_point_ = std::min(offset, end_.offset);
    durable_end_ = std::max(durable_end_, recovery_point_);
    if (recovery_point_ == recordless_.to) recovery_point_ = recordless_.from;
    last_flush_ms_ = now_ms();
    co_return log_result<>{};
  }
}

task<log_result<Log::Commit>> Log::begin_commit() {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto held = co_await mutex_.lock();
  Commit commit{.end = end_.offset, .truncations = truncations_};
  if (is_closed_) co_return commit;
  for (const SegmentPtr& segment : segments_between(durable_end_, commit.end)) {
    auto file = co_await segment->log_file();
    if (!file) co_return fail(noted(std::move(file.error())));
    commit.files.push_back(std::move(*file));
    commit.has_new_files = commit.has_new_files || segment->base_offset() >= durable_end_;
  }
  co_return commit;
}

void Log::end_commit(const Commit& commit) {
  if (commit.truncations == truncations_) durable_end_ = std::max(durable_end_, std::min(commit.end, end_.offset));
}

task<log_result<>> Log::write_epochs() {
  if (!epochs_changed_) co_return log_result<>{};
  const std::string path = fmt::format("{}/{}", directory(), leader_epoch_file);
  MOLDAU_CO_CHECK(co_await runtime::write_file_atomically(files(), path, encode_leader_epochs(epochs_)));
  epochs_changed_ = false;
  co_return log_result<>{};
}

task<log_result<>> Log::write_epochs_if_room() {
  auto written = co_await write_epochs();
  if (written || written.error().io_error_number != ENOSPC) co_return written;
  log_warning("{}: the leader epochs wait to be written: {}", directory(), written.error().message);
  co_return log_result<>{};
}

}  // namespace moldau::storage
