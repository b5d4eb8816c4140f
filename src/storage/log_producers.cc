// The producers' state on disk: writing snapshots, loading the newest one, and reading the rest from the log.
#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/mutant.h"
#include "storage/log.h"
#include "storage/prepared_append.h"
#include "storage/producer_snapshot.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

static constexpr uint64_t replay_block_bytes = 4096;

task<log_result<>> Log::take_producer_snapshot() {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto held = co_await mutex_.lock();
  if (auto written = co_await write_snapshot(true); !written) co_return fail(noted(std::move(written.error())));
  co_return log_result<>{};
}

task<log_result<>> Log::write_snapshot(bool sync) {
  const Offset at = producers_.end_offset();
  // Without a file the log start counts as one; producers whose records have gone are known to none.
  if (at <= last_snapshot_ && (!snapshots_.empty() || producers_.is_empty())) co_return log_result<>{};
  // A start after a kill completes the transaction index from the snapshot on (log_kill.cc).
  if (!segments_.empty() && active().transactions().has_unwritten()) {
    const auto settled = co_await active().transactions().settle(active().path(FileKind::transaction_index));
    if (!settled) co_return fail(Error(settled.error()));
  }
  const std::string path = file_path(directory(), at, FileKind::producer_snapshot);
  const Bytes contents = encode_snapshot(producers_);
  const ByteView parts[] = {contents};
  MOLDAU_CO_TRY(const FilePtr file, co_await files().open(path, runtime::OpenMode::truncate));
  if (const auto whole = co_await file->write_at(0, parts); !whole) {
    (void)co_await files().remove(path);  // a part of one is of no use, and on a full disk its room is
    co_return fail(Error(whole.error()));
  }
  if (sync) MOLDAU_CO_CHECK(co_await file->sync());
  const auto place = std::ranges::lower_bound(snapshots_, at);
  if (place == snapshots_.end() || *place != at) snapshots_.insert(place, at);
  last_snapshot_ = at;
  replay_cost_since_snapshot_ = 0;
  if (const Offset passed = std::exchange(passing_snapshot_, no_offset); passed != no_offset && !segments_.contains(passed))
    MOLDAU_CO_CHECK(co_await remove_snapshot(passed));
  co_return log_result<>{};
}

// What a replay would read of a batch: its header, in blocks.
void Log::note_replay_cost(const protocol::RecordBatchHeader& batch) {
  replay_cost_since_snapshot_ += std::min<uint64_t>(batch.size_bytes(), replay_block_bytes);
}

// Many producers make a large snapshot, which is written the less often.
bool Log::is_far_from_snapshot() const {
  return replay_cost_since_snapshot_ >= std::max<uint64_t>(options_.replay_limit_bytes, producers_.producer_count() * 1024);
}

task<> Log::write_passing_snapshot() {
  const Offset before = last_snapshot_;
  const auto written = co_await write_snapshot(false);
  if (written && last_snapshot_ != before) passing_snapshot_ = last_snapshot_;
  replay_cost_since_snapshot_ = 0;  // one that failed is tried again later
  if (written) co_return;
  options_.health->note(written.error());
  log_warning("{}: no snapshot of the producers at offset {}: {}", directory(), end_.offset, written.error().message);
}

task<log_result<>> Log::keep_producers(Offset first_kept) {
  if (producers_.is_empty()) co_return log_result<>{};
  if (snapshots_.empty() || snapshots_.back() < first_kept) {
    MOLDAU_CO_CHECK(co_await write_snapshot(false));
  }
  const auto kept = std::ranges::lower_bound(snapshots_, first_kept);
  if (kept == snapshots_.end()) co_return log_result<>{};
  MOLDAU_CO_TRY(const FilePtr file, co_await files().open(file_path(directory(), *kept, FileKind::producer_snapshot),
                                                         runtime::OpenMode::read_write));
  MOLDAU_CO_CHECK(co_await file->sync());
  MOLDAU_CO_CHECK(co_await files().sync_directory(directory()));
  co_return log_result<>{};
}

bool Log::forget_snapshot(Offset offset) {
  if (passing_snapshot_ == offset) passing_snapshot_ = no_offset;  // another one may be written there
  return std::erase(snapshots_, offset) > 0;
}

task<log_result<>> Log::remove_snapshot(Offset offset) {
  forget_snapshot(offset);
  const auto removed = co_await files().remove(file_path(directory(), offset, FileKind::producer_snapshot));
  if (!removed && removed.error().error_number != ENOENT) co_return fail(Error(removed.error()));
  co_return log_result<>{};
}

task<log_result<>> Log::delete_snapshots_of(const std::vector<SegmentPtr>& segments) {
  for (const SegmentPtr& segment : segments) {
    const Offset base = segment->base_offset();
    if (!forget_snapshot(base)) continue;
    std::string to = file_path(directory(), base, FileKind::producer_snapshot, FileStage::deleted);
    const auto renamed = co_await files().rename(file_path(directory(), base, FileKind::producer_snapshot), to);
    if (!renamed && renamed.error().error_number != ENOENT) co_return fail(Error(renamed.error()));
    deleted_files_.push_back({now_ms() + config().file_delete_delay_ms, std::move(to)});
  }
  co_return log_result<>{};
}

// What is open is never compacted. So a transaction whose last batch is not there has ended behind the snapshot, and its marker may
// have gone as well: nothing that is read from the log would end it, and readers of committed data would wait for good.
task<log_result<>> Log::end_cleaned_transaction(ProducerEntry& entry) {
  if (entry.transaction_first_offset == no_offset || MOLDAU_MUTANT("cleaned-transaction-left-open")) co_return log_result<>{};
  const SegmentPtr segment = floor_segment(entry.last_data_offset());
  std::optional<BatchPlace> last;
  if (segment != nullptr) {
    MOLDAU_CO_TRY(last, co_await segment->find(entry.last_data_offset()));
  }
  if (!last || last->last_offset != entry.last_data_offset()) entry.transaction_first_offset = no_offset;
  co_return log_result<>{};
}

// Takes the newest snapshot that can be read; those that cannot are removed.
task<log_result<>> Log::load_snapshot(Offset first, int64_t at_ms) {
  while (!snapshots_.empty()) {
    const Offset newest = snapshots_.back();
    const std::string path = file_path(directory(), newest, FileKind::producer_snapshot);
    std::string problem;
    if (const auto contents = co_await runtime::read_file(files(), path); !contents) {
      if (contents.error().error_number != ENOENT) co_return fail(Error(contents.error()));
      problem = contents.error().message();
    } else if (const auto decoded = decode_snapshot(*contents); !decoded) {
      problem = decoded.error();
    } else {
      for (SnapshotProducer producer : *decoded) {
        if (producers_.is_expired(producer.entry, at_ms) || MOLDAU_MUTANT("producer-snapshot-not-loaded")) continue;
        MOLDAU_CO_CHECK(co_await end_cleaned_transaction(producer.entry));
        producers_.load(producer.id, producer.entry);
      }
      last_snapshot_ = newest;
      producers_.set_end_offset(newest);
      co_return log_result<>{};
    }
    log_warning("{} is not used and removed: {}", path, problem);
    MOLDAU_CO_CHECK(co_await remove_snapshot(newest));
  }
  last_snapshot_ = first;
  producers_.set_end_offset(first);
  co_return log_result<>{};
}

// The producers of a snapshot whose records all lie below the first segment. They are as they were at any later time, so that a
// snapshot says it of them which for the others is too new; one is written so late when the disk was full before (log_retention.cc).
task<log_result<std::vector<SnapshotProducer>>> Log::producers_gone_before(Offset first, Offset snapshot) {
  std::vector<SnapshotProducer> gone;
  const auto contents = co_await runtime::read_file(files(), file_path(directory(), snapshot, FileKind::producer_snapshot));
  if (!contents) co_return fail(Error(contents.error()));
  const int64_t at_ms = expiry_now_ms();
  const auto decoded = decode_snapshot(*contents);
  if (!decoded) co_return gone;
  for (SnapshotProducer producer : *decoded) {
    // One without batches has a new epoch from a marker, which may lie anywhere.
    const bool is_gone = producer.entry.has_batches() && producer.entry.last_data_offset() < first;
    if (!is_gone || producers_.is_expired(producer.entry, at_ms)) continue;
    producer.entry.transaction_first_offset = no_offset;  // there is nothing of it to hide
    gone.push_back(producer);
  }
  co_return gone;
}

// Brings the state back to what the newest snapshot between the first segment and `end` says.
task<log_result<>> Log::reload_producers(Offset first, Offset end) {
  // Apache Kafka drops those up to the log start, and with them every producer whose records have all gone: a repeat of the last
  // of them is then taken for new.
  const std::vector<Offset> all = snapshots_;
  const auto first_usable = std::ranges::lower_bound(all, first);
  std::vector<SnapshotProducer> gone;
  if (first_usable != all.end() && *first_usable > end) {
    MOLDAU_CO_TRY(gone, co_await producers_gone_before(first, *first_usable));
  }
  for (const Offset snapshot : all)
    if (snapshot > end || snapshot < first) MOLDAU_CO_CHECK(co_await remove_snapshot(snapshot));
  if (end != producers_.end_offset()) {
    producers_.clear(producers_.end_offset());
    MOLDAU_CO_CHECK(co_await load_snapshot(first, expiry_now_ms()));
    for (const SnapshotProducer& producer : gone) producers_.load(producer.id, producer.entry);
    co_return log_result<>{};
  }
  producers_.log_start_moved(first);
  last_snapshot_ = snapshots_.empty() ? first : snapshots_.back();
  co_return log_result<>{};
}

task<log_result<>> Log::rebuild_producers(Offset end, bool after_clean_stop) {
  std::vector<Offset> worth_a_snapshot;
  if (!segments_.empty()) {
    if (segments_.size() > 1) worth_a_snapshot.push_back(std::prev(segments_.end(), 2)->first);
    worth_a_snapshot.push_back(segments_.rbegin()->first);
  }
  worth_a_snapshot.push_back(end);
  if (snapshots_.empty() && after_clean_stop) {
    // A clean stop without a snapshot: there were no producers (or an old Kafka that knew none).
    for (const Offset offset : worth_a_snapshot) {
      producers_.set_end_offset(offset);
      MOLDAU_CO_CHECK(co_await write_snapshot(true));
    }
    co_return log_result<>{};
  }
  const bool knows_there_are_none = producers_.is_empty() && producers_.end_offset() >= end;
  // From the first segment on, also below the log start, for what was known while the log was open is to be known again.
  // (Apache Kafka reads from the log start on.)
  const Offset from_first = segments_.empty() ? end : segments_.begin()->first;
  MOLDAU_CO_CHECK(co_await reload_producers(from_first, end));
  if (end > producers_.end_offset() && !knows_there_are_none) {
    for (const SegmentPtr& segment : segments_between(producers_.end_offset(), end)) {
      const Offset from = std::max(segment->base_offset(), producers_.end_offset());
      producers_.set_end_offset(from);
      if (std::ranges::find(worth_a_snapshot, segment->base_offset()) != worth_a_snapshot.end())
        MOLDAU_CO_CHECK(co_await write_snapshot(true));
      MOLDAU_CO_CHECK(co_await replay_producers(segment, from, end));
    }
  }
  producers_.set_end_offset(end);
  co_return co_await write_snapshot(true);
}

task<log_result<>> Log::replay_producers(SegmentPtr segment, Offset from, Offset end, bool notes_aborted) {
  MOLDAU_CO_TRY(const std::optional<BatchPlace> begin, co_await segment->find(from));
  if (!begin) co_return log_result<>{};
  MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
  BatchScanner headers(file, begin->position, segment->size_bytes());
  Bytes control;
  while (true) {
    const ScanStep step = headers.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await headers.fill());
      continue;
    }
    if (step != ScanStep::batch) co_return log_result<>{};
    const protocol::RecordBatchHeader& batch = headers.header();
    if (batch.last_offset() >= end) co_return log_result<>{};
    note_replay_cost(batch);
    if (!batch.has_producer_id()) continue;
    if (batch.is_control()) {
      control.resize(batch.size_bytes());
      MOLDAU_CO_TRY(const size_t got, co_await file->read_at(headers.position(), control));
      if (got < control.size()) co_return log_result<>{};
    }
    ProducerAppend producer = producers_.prepare(batch.producer_id, AppendOrigin::replication);
    MOLDAU_CO_TRY(const auto completed, feed_producer(producer, batch, control, -1));
    producers_.apply(producer);
    if (!completed) continue;
    if (completed->is_aborted && notes_aborted)
      co_await segment->append_aborted({completed->producer_id, completed->first_offset, completed->last_offset,
                                        producers_.last_stable_offset(*completed)});
    producers_.complete(*completed);
  }
}

}  // namespace moldau::storage
