// Compaction's side of a log: an output beside the live segments, and its way into their place.
//
// The order of the renames is Kafka's, and the loader of either relies on it: an output is whole before it is `.swap`, and
// nothing that it replaces goes before that. See docs/internals/compaction.md.
#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "storage/log.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

task<log_result<std::vector<AbortedTransaction>>> Log::aborted_between(Offset from, Offset to) {
  std::vector<AbortedTransaction> aborted;
  SegmentPtr segment = floor_segment(from);
  if (segment == nullptr) segment = segments_.begin()->second;
  for (; segment != nullptr; segment = higher_segment(segment->base_offset())) {
    MOLDAU_CO_TRY(const bool is_complete, co_await segment->collect_aborted(from, to, aborted));
    if (is_complete) break;
  }
  co_return aborted;
}

task<log_result<SegmentPtr>> Log::make_cleaned_segment(Offset base_offset) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  auto made = std::make_shared<Segment>(*options_.open_files, options_.directory, base_offset, now_ms(), 0, false,
                                        FileStage::cleaned);
  if (auto removed = co_await made->remove_files(); !removed) co_return fail(noted(std::move(removed.error())));
  if (auto created = co_await made->create(); !created) co_return fail(noted(std::move(created.error())));
  co_return made;
}

task<> Log::discard_cleaned_segment(SegmentPtr segment) {
  if (is_offline()) {
    segment->close_files();
    co_return;
  }
  // What stays is removed when the log is opened next, or when the next output takes its name.
  if (const auto removed = co_await segment->remove_files(); !removed)
    log_warning("{}: an unfinished output of compaction stays for now: {}", directory(), removed.error().message);
}

// On stable storage before it gets a name that counts; as old as the newest of what it replaces, which retention asks.
task<log_result<>> Log::finish_cleaned(SegmentPtr cleaned, SegmentPtr last_replaced) {
  MOLDAU_CO_CHECK(co_await cleaned->finish(config()));
  MOLDAU_CO_TRY(const std::vector<FilePtr> unsynced, co_await cleaned->settle(config()));
  for (const FilePtr& file : unsynced)
    if (!MOLDAU_MUTANT("cleaned-segment-unsynced")) MOLDAU_CO_CHECK(co_await file->sync());
  MOLDAU_CO_TRY(const int64_t modified_ms, co_await last_replaced->modified_ms());
  if (MOLDAU_MUTANT("cleaned-segment-is-young-again")) co_return log_result<>{};
  co_return co_await cleaned->set_modified_ms(modified_ms);
}

task<log_result<bool>> Log::swap_in(SegmentPtr cleaned, std::vector<SegmentPtr> replaced) {
  MOLDAU_ASSERT(!replaced.empty() && cleaned->base_offset() == replaced.front()->base_offset());
  if (is_offline()) co_return fail(options_.health->offline_error());
  if (auto finished = co_await finish_cleaned(cleaned, replaced.back()); !finished) {
    co_await discard_cleaned_segment(std::move(cleaned));
    co_return fail(noted(std::move(finished.error())));
  }
  const auto held = co_await mutex_.lock();
  const bool is_as_it_was = !is_closed_ && std::ranges::all_of(replaced, [this](const SegmentPtr& segment) {
    const auto found = segments_.find(segment->base_offset());
    return found != segments_.end() && found->second == segment && segment != segments_.rbegin()->second;
  });
  if (!is_as_it_was) {
    co_await discard_cleaned_segment(std::move(cleaned));
    co_return false;
  }
  for (const SegmentPtr& segment : replaced)
    if (auto kept = co_await segment->keep_readable(); !kept) {
      co_await discard_cleaned_segment(std::move(cleaned));
      co_return fail(noted(std::move(kept.error())));
    }
  if (auto swapped = co_await swap_in_locked(std::move(cleaned), std::move(replaced)); !swapped) {
    // Files and segments may differ now, whatever the error; the next start finishes the swap.
    options_.health->set_offline(swapped.error().message);
    co_return fail(std::move(swapped.error()));
  }
  co_return true;
}

task<log_result<>> Log::swap_in_locked(SegmentPtr cleaned, std::vector<SegmentPtr> replaced) {
  if (MOLDAU_MUTANT("swap-without-rename-order"))
    for (const SegmentPtr& segment : replaced) MOLDAU_CO_CHECK(co_await segment->change_stage(FileStage::deleted));
  MOLDAU_CO_CHECK(co_await cleaned->change_stage(FileStage::swap));
  MOLDAU_CO_CHECK(co_await files().sync_directory(directory()));
  // From here on a crash ends with the output in place.
  const int64_t due_ms = now_ms() + config().file_delete_delay_ms;
  for (const SegmentPtr& segment : replaced) {
    MOLDAU_CO_CHECK(co_await segment->change_stage(FileStage::deleted));
    for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index})
      deleted_files_.push_back({due_ms, file_path(directory(), segment->base_offset(), kind, FileStage::deleted)});
  }
  MOLDAU_CO_CHECK(co_await cleaned->change_stage(FileStage::live));
  for (const SegmentPtr& segment : replaced) segments_.erase(segment->base_offset());
  segments_.emplace(cleaned->base_offset(), std::move(cleaned));
  forget_places_in(replaced);
  ++swaps_;
  MOLDAU_CO_CHECK(co_await files().sync_directory(directory()));
  replaced.erase(replaced.begin());  // the snapshot at its base is the output's
  co_return co_await delete_snapshots_of(replaced);
}

// Where something is in a replaced segment is known no longer.
void Log::forget_places_in(const std::vector<SegmentPtr>& segments) {
  for (Place* place : {&high_watermark_, &unstable_place_})
    for (const SegmentPtr& segment : segments)
      if (place->segment_base == segment->base_offset()) *place = {place->offset};
}

}  // namespace moldau::storage
