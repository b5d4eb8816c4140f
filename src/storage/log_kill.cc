// After a kill in the same start of the machine: the page cache holds all that the process wrote, so every segment but the
// last is whole, with its indexes. Of the last one the headers are read from where its indexes end and from
// where the newest snapshot of its producers stands; whole batches only at its end, for a write can be torn, but not leave
// a gap.
#include <algorithm>

#include "base/log.h"
#include "base/mutant.h"
#include "storage/log_loader.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

// A batch that ends so near the end of the file is read whole.
static constexpr uint64_t checked_end_bytes = 4096;

task<log_result<>> LogLoader::recover_killed() {
  const SegmentPtr last = log_.segments_.rbegin()->second;
  // These are flushed with the next one that is rolled, and so must be known.
  const Offset point = std::max(log_.options_.recovery_point - 1, Offset(0));
  for (const SegmentPtr& segment : log_.segments_between(point, last->base_offset()))
    MOLDAU_CO_CHECK(co_await segment->load_indexes());
  MOLDAU_CO_TRY(const Recovered outcome, co_await recover_end(last));
  MOLDAU_CO_TRY(const Offset end, co_await last->read_next_offset());
  if (outcome != Recovered::overflown && log_.producers_.end_offset() == end) co_return log_result<>{};
  // A snapshot behind the end, or a segment that no kill can leave: nothing is taken on trust.
  log_warning("{}: its end is not what a killed process leaves; everything that was not flushed is read", log_.directory());
  log_.options_.was_only_killed = false;
  log_.producers_.clear(Offset(0));
  co_return co_await recover_unflushed();
}

task<log_result<LogLoader::Recovered>> LogLoader::recover_end(SegmentPtr last) {
  MOLDAU_CO_TRY(const Segment::IndexedTo indexed, co_await last->resume_indexes());
  const Offset first = log_.segments_.begin()->first;
  const std::vector<Offset> all = log_.snapshots_;
  for (const Offset snapshot : all)
    if (snapshot < first) MOLDAU_CO_CHECK(co_await log_.remove_snapshot(snapshot));
  MOLDAU_CO_CHECK(co_await log_.load_snapshot(first, log_.expiry_now_ms()));
  if (!log_.segments_.contains(log_.last_snapshot_)) log_.passing_snapshot_ = log_.last_snapshot_;
  const Offset known_below = log_.producers_.end_offset();
  MOLDAU_CO_CHECK(co_await last->forget_aborted_from(std::max(known_below, last->base_offset())));
  for (const SegmentPtr& segment : log_.segments_between(known_below, indexed.base_offset)) {
    if (MOLDAU_MUTANT("killed-producers-not-replayed")) break;
    const Offset from = std::max(segment->base_offset(), log_.producers_.end_offset());
    MOLDAU_CO_CHECK(co_await log_.replay_producers(segment, from, indexed.base_offset, segment == last));
    const SegmentPtr next = log_.higher_segment(segment->base_offset());
    log_.producers_.set_end_offset(next != nullptr ? next->base_offset() : indexed.base_offset);
  }
  log_.producers_.set_end_offset(std::max(known_below, indexed.base_offset));
  ++report_.segments_recovered;
  MOLDAU_CO_TRY(const uint32_t skimmed, co_await skim(last, indexed.position));
  report_.bytes_checked = last->size_bytes() - skimmed;
  co_return co_await recover(last, skimmed);
}

// Takes what the indexes lack by its headers, up to what may be torn or is not what it should be; gives the position of that.
task<log_result<uint32_t>> LogLoader::skim(SegmentPtr last, uint32_t from_position) {
  const Offset known_below = log_.producers_.end_offset();
  MOLDAU_CO_TRY(const FilePtr file, co_await last->log_file());
  BatchScanner headers(file, from_position, last->size_bytes());
  Offset next = last->base_offset();
  Bytes control;
  while (true) {
    const uint64_t position = headers.next_position();
    const ScanStep step = headers.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await headers.fill());
      continue;
    }
    const protocol::RecordBatchHeader& batch = headers.header();
    if (step != ScanStep::batch || headers.next_position() + checked_end_bytes > last->size_bytes() || batch.base_offset < next ||
        batch.last_offset_delta < 0 || !last->can_hold(batch.last_offset()))
      co_return static_cast<uint32_t>(position);
    if (batch.has_producer_id() && batch.base_offset >= known_below) {
      control.resize(batch.is_control() ? batch.size_bytes() : 0);
      MOLDAU_CO_TRY(const size_t got, co_await file->read_at(position, control));
      if (got < control.size()) co_return static_cast<uint32_t>(position);
      MOLDAU_CO_CHECK(co_await feed_recovered(last, batch, control));
    }
    note_epoch(batch);
    MOLDAU_CO_CHECK(co_await last->index_recovered(batch, static_cast<uint32_t>(position), log_.config()));
    log_.note_replay_cost(batch);
    next = batch.next_offset();
    log_.producers_.set_end_offset(std::max(next, known_below));
  }
}

}  // namespace moldau::storage
