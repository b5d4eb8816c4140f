// Recovery: what was written after the recovery point may be on the disk in part, so it is read whole, checked, and its
// indexes are built again. A torn tail is cut; what lies below the recovery point was flushed, and is never cut.
#include <algorithm>

#include "base/log.h"
#include "base/mutant.h"
#include "protocol/legacy_batch.h"
#include "runtime/shard.h"
#include "storage/log_loader.h"
#include "storage/prepared_append.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

task<log_result<>> LogLoader::recover_unflushed() {
  // A segment that had to be split changes what there is to recover.
  while (true) {
    report_.segments_recovered = 0;
    MOLDAU_CO_TRY(const SegmentPtr overflown, co_await recover_until_overflow());
    if (overflown == nullptr) co_return log_result<>{};
    MOLDAU_CO_CHECK(co_await split(overflown));
  }
}

task<log_result<SegmentPtr>> LogLoader::recover_until_overflow() {
  // The segment that ends where the recovery point is may have been rolled just before the stop: its records were flushed
  // and the last entries of its indexes not, so it is read again as well.
  const Offset point = std::max(log_.options_.recovery_point - 1, Offset(0));
  const std::vector<SegmentPtr> unflushed = log_.segments_between(point, Offset(INT64_MAX));
  if (unflushed.empty()) co_return SegmentPtr();
  // What the producers did before these segments.
  MOLDAU_CO_CHECK(co_await log_.rebuild_producers(unflushed.front()->base_offset(), false));
  for (const SegmentPtr& segment : unflushed) {
    ++report_.segments_recovered;
    MOLDAU_CO_CHECK(co_await segment->reset_indexes());
    MOLDAU_CO_TRY(const Recovered outcome, co_await recover(segment));
    if (outcome == Recovered::overflown) co_return segment;
    MOLDAU_CO_CHECK(co_await log_.write_snapshot(true));
    if (outcome == Recovered::whole) continue;
    MOLDAU_CO_CHECK(co_await drop_segments_after(segment->base_offset(), false));
    break;
  }
  co_return SegmentPtr();
}

task<log_result<LogLoader::Recovered>> LogLoader::recover(SegmentPtr segment, uint32_t from_position) {
  const Offset flushed_below = log_.options_.recovery_point;
  const Offset producers_known_below = log_.producers_.end_offset();
  MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
  const uint32_t size_bytes = segment->size_bytes();
  BatchScanner scanner(file, from_position, size_bytes, ScanDepth::whole_batches);
  Offset next = segment->base_offset();
  uint32_t valid_bytes = from_position;
  std::string why = "the file ends inside a batch";
  while (true) {
    const ScanStep step = scanner.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await scanner.fill());
      // A long recovery leaves room for what else the shard has to do.
      if (runtime::Shard::current_or_null() != nullptr) co_await runtime::yield();
      continue;
    }
    if (step == ScanStep::damaged) {
      why = scanner.damage();
      const NewerBatch* newer = scanner.newer_batch(next);
      if (newer != nullptr && segment->can_hold(newer->offset)) co_return fail(newer_format_error(segment->path(FileKind::log), *newer));
    }
    if (step != ScanStep::batch) break;
    const protocol::RecordBatchHeader& batch = scanner.header();
    const bool is_in_order = batch.last_offset_delta >= 0 && batch.base_offset >= next;
    if (is_in_order && segment->is_overflown_by(batch.last_offset())) co_return Recovered::overflown;
    if (!is_in_order || !segment->can_hold(batch.last_offset())) {
      why = fmt::format("offsets {} to {} where {} is next", batch.base_offset, batch.last_offset(), next);
      break;
    }
    if (!protocol::is_crc_right_in_any_magic(scanner.bytes()) && !MOLDAU_MUTANT("crc-unchecked-in-recovery")) {
      why = fmt::format("the checksum of the batch at offset {} is wrong", batch.base_offset);
      // What a killed process was writing ends where the file ends.
      const bool may_be_torn = !log_.options_.was_only_killed || scanner.next_position() == size_bytes;
      if (batch.last_offset() >= flushed_below && may_be_torn) break;
      damaged(fmt::format("{} in {}; it was written whole once, so it stays", why, segment->path(FileKind::log)));
    } else if (batch.has_producer_id() && batch.base_offset >= producers_known_below) {
      MOLDAU_CO_CHECK(co_await feed_recovered(segment, batch, scanner.bytes()));
    }
    note_epoch(batch);
    MOLDAU_CO_CHECK(co_await segment->index_recovered(batch, valid_bytes, log_.config()));
    next = batch.next_offset();
    log_.producers_.set_end_offset(std::max(next, producers_known_below));
    log_.note_replay_cost(batch);
    valid_bytes = static_cast<uint32_t>(scanner.next_position());
  }
  MOLDAU_CO_CHECK(co_await segment->finish_recovery());
  log_.producers_.set_end_offset(std::max(log_.producers_.end_offset(), next));
  if (valid_bytes == size_bytes || MOLDAU_MUTANT("torn-tail-kept")) co_return Recovered::whole;

  if (next < flushed_below) {
    damaged(fmt::format("{} of {} bytes of {} from offset {} on cannot be read ({}), though everything below offset {} "
                        "was flushed; they are set aside",
                        size_bytes - valid_bytes, size_bytes, segment->path(FileKind::log), next, why, flushed_below));
    MOLDAU_CO_CHECK(co_await set_aside(segment, valid_bytes));
    MOLDAU_CO_CHECK(co_await drop_segments_after(segment->base_offset(), true));
  } else {
    log_warning("{}: cutting {} bytes behind offset {}, which were never flushed: {}", segment->path(FileKind::log),
                size_bytes - valid_bytes, next, why);
  }
  report_.bytes_cut += size_bytes - valid_bytes;
  MOLDAU_CO_CHECK(co_await segment->truncate_file(valid_bytes));
  // With the next power cut the tail could come back, and the segments that were begun behind it since would be cut with it.
  if (!MOLDAU_MUTANT("torn-tail-cut-unsynced")) MOLDAU_CO_CHECK(co_await file->sync());
  co_return Recovered::cut;
}

task<log_result<>> LogLoader::feed_recovered(SegmentPtr segment, const protocol::RecordBatchHeader& batch, ByteView bytes) {
  ProducerAppend producer = log_.producers_.prepare(batch.producer_id, AppendOrigin::replication);
  MOLDAU_CO_TRY(const auto completed, feed_producer(producer, batch, bytes, -1));
  log_.producers_.apply(producer);
  if (!completed) co_return log_result<>{};
  if (completed->is_aborted)
    co_await segment->append_aborted({completed->producer_id, completed->first_offset, completed->last_offset,
                                      log_.producers_.last_stable_offset(*completed)});
  log_.producers_.complete(*completed);
  co_return log_result<>{};
}

void LogLoader::note_epoch(const protocol::RecordBatchHeader& batch) {
  const auto latest = log_.epochs_.latest();
  if (batch.leader_epoch <= no_leader_epoch || (latest && batch.leader_epoch <= latest->epoch)) return;
  log_.epochs_.assign(batch.leader_epoch, batch.base_offset);
  log_.epochs_changed_ = true;
}

// Copies the unreadable rest of a segment to a file beside it, which neither Moldau nor Kafka looks at.
task<log_result<>> LogLoader::set_aside(SegmentPtr segment, uint32_t from_position) {
  MOLDAU_CO_TRY(FilePtr from, co_await segment->log_file());
  const std::string path = fmt::format("{}.{}.damaged", segment->path(FileKind::log), from_position);
  MOLDAU_CO_TRY(const FilePtr to, co_await log_.files().open(path, runtime::OpenMode::truncate));
  Bytes block(256 * 1024);
  for (uint64_t position = from_position; position < segment->size_bytes(); position += block.size()) {
    MOLDAU_CO_TRY(const size_t got, co_await from->read_at(position, block));
    const ByteView parts[] = {ByteView(block).first(got)};
    MOLDAU_CO_CHECK(co_await to->write_at(position - from_position, parts));
  }
  MOLDAU_CO_CHECK(co_await to->sync());
  MOLDAU_CO_CHECK(co_await log_.files().sync_directory(log_.directory()));
  co_return log_result<>{};
}

task<log_result<>> LogLoader::drop_segments_after(Offset base_offset, bool keep_copies) {
  std::vector<SegmentPtr> dropped;
  for (auto at = log_.segments_.upper_bound(base_offset); at != log_.segments_.end(); ++at) dropped.push_back(at->second);
  for (const SegmentPtr& segment : dropped) {
    if (keep_copies && segment->size_bytes() > 0) {
      damaged(fmt::format("{} lies behind unreadable records; it is set aside", segment->path(FileKind::log)));
      MOLDAU_CO_CHECK(co_await set_aside(segment, 0));
    } else if (segment->size_bytes() > 0) {
      log_warning("{}: {} bytes behind a torn segment are cut", segment->path(FileKind::log), segment->size_bytes());
    }
    report_.bytes_cut += segment->size_bytes();
    ++report_.segments_cut;
  }
  co_return co_await drop(dropped);
}

// What is dropped must not come back with a power cut, behind or beside what is written from now on.
task<log_result<>> LogLoader::drop(const std::vector<SegmentPtr>& segments) {
  if (segments.empty()) co_return log_result<>{};
  MOLDAU_CO_CHECK(co_await log_.remove_segments(segments));
  MOLDAU_CO_CHECK(co_await log_.delete_snapshots_of(segments));
  MOLDAU_CO_CHECK(co_await log_.files().sync_directory(log_.directory()));
  co_return log_result<>{};
}

}  // namespace moldau::storage
