// A segment's indexes: read when needed, extended by each append, built again from the log.
#include "base/log.h"
#include "runtime/shard.h"
#include "storage/segment.h"

namespace moldau::storage {

using protocol::RecordBatchHeader;
using runtime::FilePtr;
using runtime::task;

task<log_result<>> Segment::need_offset_index() {
  if (offset_index_.file().is_loaded()) co_return log_result<>{};
  MOLDAU_CO_TRY(const bool is_sound, co_await offset_index_.load(path(FileKind::offset_index)));
  if (!is_sound) MOLDAU_CO_CHECK(co_await rebuild_indexes(LogConfig()));
  co_return log_result<>{};
}

task<log_result<>> Segment::need_time_index() {
  if (time_index_.file().is_loaded()) co_return log_result<>{};
  MOLDAU_CO_TRY(const bool is_sound, co_await time_index_.load(path(FileKind::time_index)));
  if (!is_sound) MOLDAU_CO_CHECK(co_await rebuild_indexes(LogConfig()));
  co_return log_result<>{};
}

task<log_result<bool>> Segment::rebuild_indexes(LogConfig config) {
  log_warning("the indexes of {} are missing or damaged and are built again", path(FileKind::log));
  offset_index_.start_empty();
  time_index_.start_empty();
  max_timestamp_ = TimestampOffset{-1, base_offset_};
  bool is_whole = true;
  for (uint32_t begin = 0; is_whole && begin < size_bytes_;) {
    const uint32_t end = trust_.sound_end(begin, size_bytes_);
    MOLDAU_CO_TRY(is_whole, co_await index_stretch(begin, end, config));
    begin = trust_.damage_end(end);
  }
  time_index_.maybe_append(*max_timestamp_);
  bytes_since_index_entry_ = 0;
  MOLDAU_CO_CHECK(co_await time_index_.file().trim(path(FileKind::time_index)));
  MOLDAU_CO_CHECK(co_await offset_index_.file().trim(path(FileKind::offset_index)));
  co_return is_whole;
}

task<log_result<bool>> Segment::index_stretch(uint32_t begin, uint32_t end, const LogConfig& config) {
  MOLDAU_CO_TRY(FilePtr file, co_await log_file());
  BatchScanner scanner(std::move(file), begin, end);
  uint64_t last_entry = begin;
  while (true) {
    const ScanStep step = scanner.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await scanner.fill());
      if (runtime::Shard::current_or_null() != nullptr) co_await runtime::yield();
      continue;
    }
    if (step == ScanStep::damaged) log_error("{}: {}", path(FileKind::log), scanner.damage());
    if (step != ScanStep::batch) co_return true;
    const RecordBatchHeader& batch = scanner.header();
    if (is_overflown_by(batch.last_offset())) co_return false;
    if (!can_hold(batch.last_offset())) co_return true;
    if (batch.last_offset() < std::max(max_timestamp_->offset, offset_index_.last_offset())) {
      log_error("{}: offset {} at position {} is out of order", path(FileKind::log), batch.last_offset(), scanner.position());
      co_return true;
    }
    bytes_since_index_entry_ = static_cast<uint32_t>(scanner.position() - last_entry);
    if (bytes_since_index_entry_ > config.index_interval_bytes) last_entry = scanner.position();
    note_batch(batch, static_cast<uint32_t>(scanner.position()), config.index_interval_bytes);
  }
}

// Takes a batch at `position` into the indexes; those must be loaded and max_timestamp_ known.
void Segment::note_batch(const RecordBatchHeader& batch, uint32_t position, uint32_t index_interval_bytes) {
  if (batch.max_timestamp_ms > max_timestamp_->timestamp_ms)
    max_timestamp_ = TimestampOffset{batch.max_timestamp_ms, batch.last_offset()};
  if (bytes_since_index_entry_ > index_interval_bytes) {
    if (offset_index_.entries() == 0 || batch.last_offset() > offset_index_.last_offset())
      offset_index_.append(batch.last_offset(), position);
    time_index_.maybe_append(*max_timestamp_);
    bytes_since_index_entry_ = 0;
  }
  bytes_since_index_entry_ += static_cast<uint32_t>(batch.size_bytes());
}

// By time first: where an entry by offset was written, all that the other index knows up to there is (resume_indexes).
task<log_result<>> Segment::write_indexes(uint32_t full_size_bytes) {
  MOLDAU_CO_CHECK(co_await time_index_.file().write_pending(
      path(FileKind::time_index), full_size_bytes / TimeIndex::entry_size * TimeIndex::entry_size));
  MOLDAU_CO_CHECK(co_await offset_index_.file().write_pending(
      path(FileKind::offset_index), full_size_bytes / OffsetIndex::entry_size * OffsetIndex::entry_size));
  co_return log_result<>{};
}

task<log_result<Segment::IndexSizes>> Segment::index_sizes() {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_CHECK(co_await need_time_index());
  co_return IndexSizes{uint64_t{offset_index_.entries()} * OffsetIndex::entry_size,
                       uint64_t{time_index_.entries()} * TimeIndex::entry_size};
}

task<log_result<>> Segment::reset_indexes() {
  offset_index_.start_empty();
  time_index_.start_empty();
  MOLDAU_CO_CHECK(co_await transaction_index_.reset(path(FileKind::transaction_index)));
  max_timestamp_ = TimestampOffset{-1, base_offset_};
  first_timestamp_ms_.reset();
  bytes_since_index_entry_ = 0;
  co_return log_result<>{};
}

task<log_result<>> Segment::index_recovered(const RecordBatchHeader& batch, uint32_t position, const LogConfig& config) {
  note_batch(batch, position, config.index_interval_bytes);
  if (offset_index_.file().should_write() || time_index_.file().should_write())
    MOLDAU_CO_CHECK(co_await write_indexes(0));
  co_return log_result<>{};
}

task<log_result<>> Segment::finish_recovery() {
  time_index_.maybe_append(*max_timestamp_);
  bytes_since_index_entry_ = 0;
  MOLDAU_CO_CHECK(co_await time_index_.file().trim(path(FileKind::time_index)));
  MOLDAU_CO_CHECK(co_await offset_index_.file().trim(path(FileKind::offset_index)));
  co_return log_result<>{};
}

task<log_result<Segment::IndexedTo>> Segment::resume_indexes() {
  MOLDAU_CO_CHECK(co_await offset_index_.load_after_kill(path(FileKind::offset_index)));
  MOLDAU_CO_TRY(const OffsetPosition last, co_await offset_index_.last_entry(path(FileKind::offset_index)));
  std::optional<RecordBatchHeader> batch;
  if (offset_index_.entries() > 0 && last.position < size_bytes_) {
    MOLDAU_CO_TRY(FilePtr file, co_await log_file());
    BatchScanner scanner(std::move(file), last.position, size_bytes_);
    if (scanner.next() == ScanStep::need_bytes) MOLDAU_CO_CHECK(co_await scanner.fill());
    if (scanner.next() == ScanStep::batch) batch = scanner.header();
  }
  if (!batch || batch->base_offset > last.offset || batch->last_offset() < last.offset) {
    offset_index_.start_empty();
    time_index_.start_empty();
    max_timestamp_ = TimestampOffset{-1, base_offset_};
    co_return IndexedTo{base_offset_, 0};
  }
  // Entries by time are written before those by offset: up to this batch none is missing.
  MOLDAU_CO_CHECK(co_await time_index_.load_after_kill(path(FileKind::time_index)));
  if (time_index_.last_entry().offset > last.offset)
    MOLDAU_CO_CHECK(co_await time_index_.truncate_to(path(FileKind::time_index), last.offset + 1));
  max_timestamp_ = time_index_.last_entry();
  co_return IndexedTo{batch->base_offset, last.position};
}

task<log_result<>> Segment::load_indexes() {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  co_return co_await need_time_index();
}

}  // namespace moldau::storage
