#include "storage/segment.h"

#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "storage/late_write_mutant.h"

namespace moldau::storage {

using protocol::ErrorCode;
using protocol::RecordBatchHeader;
using runtime::FilePtr;
using runtime::OpenMode;
using runtime::task;

Segment::Segment(OpenFiles& cache, const std::string& directory, Offset base_offset, int64_t created_ms,
                 int64_t roll_jitter_ms, bool has_transaction_index, FileStage stage)
    : directory_(directory),
      base_offset_(base_offset),
      stage_(stage),
      log_(cache),
      offset_index_(cache, base_offset),
      time_index_(cache, base_offset),
      transaction_index_(cache, has_transaction_index),
      created_ms_(created_ms),
      roll_jitter_ms_(roll_jitter_ms) {}

task<log_result<FilePtr>> Segment::log_file() {
  if (FilePtr open = log_.if_open()) co_return open;
  MOLDAU_CO_TRY(FilePtr opened, co_await log_.open(path(FileKind::log), OpenMode::read_write));
  co_return opened;
}

task<log_result<>> Segment::create() {
  MOLDAU_CO_TRY(const FilePtr file, co_await log_.open(path(FileKind::log), OpenMode::truncate));
  size_bytes_ = 0;
  trust_.truncate(0);
  max_timestamp_.reset();
  co_return log_result<>{};
}

task<log_result<>> Segment::open_existing() {
  MOLDAU_CO_TRY(const FilePtr file, co_await log_file());
  MOLDAU_CO_TRY(const uint64_t size, co_await file->size());
  if (size > INT32_MAX)
    co_return fail(Error(ErrorCode::kafka_storage_error, fmt::format("{} is longer than 2 GiB", file->path())));
  size_bytes_ = static_cast<uint32_t>(size);
  co_return log_result<>{};
}

// --- append ---

task<log_result<bool>> Segment::should_roll(RollQuestion question, const LogConfig& config) {
  if (!first_timestamp_ms_ && size_bytes_ > 0) MOLDAU_CO_CHECK(co_await first_batch_timestamp());
  const int64_t waited_ms = first_timestamp_ms_ && *first_timestamp_ms_ >= 0
                                ? question.max_timestamp_ms - *first_timestamp_ms_
                                : question.now_ms - created_ms_;
  if (int64_t{size_bytes_} > int64_t{config.segment_bytes} - int64_t{question.size_bytes}) co_return true;
  if (size_bytes_ > 0 && waited_ms > config.max_segment_ms() - roll_jitter_ms_) co_return true;
  MOLDAU_CO_CHECK(co_await need_offset_index());
  if (offset_index_.is_full(config.segment_index_bytes)) co_return true;
  MOLDAU_CO_CHECK(co_await need_time_index());
  co_return time_index_.is_full(config.segment_index_bytes) || !can_hold(question.last_offset);
}

task<log_result<std::optional<int64_t>>> Segment::first_batch_timestamp() {
  if (first_timestamp_ms_ || size_bytes_ == 0) co_return first_timestamp_ms_;
  MOLDAU_CO_TRY(FilePtr file, co_await log_file());
  BatchScanner scanner(std::move(file), 0, size_bytes_);
  if (scanner.next() == ScanStep::need_bytes) MOLDAU_CO_CHECK(co_await scanner.fill());
  if (scanner.next() == ScanStep::batch) first_timestamp_ms_ = scanner.header().max_timestamp_ms;
  co_return first_timestamp_ms_;
}

task<log_result<>> Segment::append(std::span<const ByteView> parts, std::span<const RecordBatchHeader> batches,
                                   const LogConfig& config) {
  MOLDAU_ASSERT(!batches.empty());
  if (!offset_index_.file().is_loaded()) MOLDAU_CO_CHECK(co_await need_offset_index());
  if (!max_timestamp_) MOLDAU_CO_CHECK(co_await max_timestamp());
  FilePtr file = log_.if_open();
  if (file == nullptr) {
    MOLDAU_CO_TRY(file, co_await log_file());
  }
  const uint32_t position = size_bytes_;
  if (MOLDAU_MUTANT("ack-before-append")) {
    write_late(file, position, parts);
  } else if (auto written = co_await file->write_at(position, parts); !written) {
    Error error(written.error());
    // Nothing of a failed append may stay: the next one must follow what is acknowledged.
    if (const auto cut = co_await file->truncate(position); !cut) {
      error.message += "; " + cut.error().message();
      error.io_error_number = EIO;
    }
    co_return fail(std::move(error));
  }
  if (position == 0) first_timestamp_ms_ = batches.front().max_timestamp_ms;
  uint32_t at = position;
  for (const RecordBatchHeader& batch : batches) {
    note_batch(batch, at, config.index_interval_bytes);
    newest_batch_ = BatchPlace::of(batch, at, at);
    at += static_cast<uint32_t>(batch.size_bytes());
  }
  size_bytes_ = at;
  trust_.note_verified(position, at);
  if (offset_index_.file().should_write() || time_index_.file().should_write() || position == 0) {
    // The records are in the log; entries that cannot be written now wait for the next time.
    if (const auto kept = co_await write_indexes(config.segment_index_bytes); !kept)
      log_warning("an index waits to be written: {}", kept.error().message);
  }
  co_return log_result<>{};
}

task<> Segment::append_aborted(AbortedTransaction aborted) {
  // The marker is in the log and readers know of the entry; what cannot be written now waits for the next time.
  const auto written = co_await transaction_index_.append(path(FileKind::transaction_index), aborted);
  if (!written) log_warning("a transaction index waits to be written: {}", written.error().message());
}

task<log_result<>> Segment::forget_aborted_from(Offset offset) {
  MOLDAU_CO_CHECK(co_await transaction_index_.truncate_to(path(FileKind::transaction_index), offset));
  co_return log_result<>{};
}

task<log_result<bool>> Segment::collect_aborted(Offset from, Offset upper_bound, std::vector<AbortedTransaction>& into) {
  MOLDAU_CO_TRY(const bool is_complete,
                co_await transaction_index_.collect(path(FileKind::transaction_index), from, upper_bound, into));
  co_return is_complete;
}

// --- truncation, rolling, closing ---

task<log_result<>> Segment::truncate_file(uint32_t size_bytes) {
  MOLDAU_ASSERT(size_bytes <= size_bytes_);
  if (size_bytes == size_bytes_) co_return log_result<>{};
  MOLDAU_CO_TRY(const FilePtr file, co_await log_file());
  MOLDAU_CO_CHECK(co_await file->truncate(size_bytes));
  size_bytes_ = size_bytes;
  newest_batch_.reset();
  trust_.truncate(size_bytes);
  co_return log_result<>{};
}

task<log_result<uint32_t>> Segment::truncate_to(Offset offset, int64_t now_ms) {
  MOLDAU_CO_TRY(const std::optional<BatchPlace> place, co_await find(offset));
  MOLDAU_CO_CHECK(co_await need_time_index());
  MOLDAU_CO_CHECK(co_await max_timestamp());
  MOLDAU_CO_CHECK(co_await offset_index_.truncate_to(path(FileKind::offset_index), offset));
  if (!MOLDAU_MUTANT("time-index-not-truncated"))
    MOLDAU_CO_CHECK(co_await time_index_.truncate_to(path(FileKind::time_index), offset));
  const uint32_t before = size_bytes_;
  if (place) MOLDAU_CO_CHECK(co_await truncate_file(place->position));
  // Last: a marker whose entry is missing would show what it aborted; an entry whose marker has gone hides nothing and is removed at a start.
  MOLDAU_CO_CHECK(co_await transaction_index_.truncate_to(path(FileKind::transaction_index), offset));
  if (size_bytes_ == 0) {
    created_ms_ = now_ms;
    first_timestamp_ms_.reset();
  }
  bytes_since_index_entry_ = 0;
  // What the time index no longer covers is read from the log.
  TimestampOffset newest = time_index_.last_entry();
  MOLDAU_CO_TRY(const OffsetPosition near, co_await offset_index_.lookup(path(FileKind::offset_index), newest.offset));
  MOLDAU_CO_TRY(FilePtr file, co_await log_file());
  BatchScanner scanner(std::move(file), near.position, size_bytes_);
  while (true) {
    const ScanStep step = scanner.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await scanner.fill());
      continue;
    }
    if (step != ScanStep::batch) break;
    if (scanner.header().max_timestamp_ms > newest.timestamp_ms)
      newest = {scanner.header().max_timestamp_ms, scanner.header().last_offset()};
  }
  max_timestamp_ = newest;
  co_return before - size_bytes_;
}

task<log_result<>> Segment::finish(const LogConfig&) {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_CHECK(co_await need_time_index());
  MOLDAU_CO_CHECK(co_await max_timestamp());
  time_index_.maybe_append(*max_timestamp_);
  MOLDAU_CO_TRY(const FilePtr transactions, co_await transaction_index_.settle(path(FileKind::transaction_index)));
  MOLDAU_CO_CHECK(co_await time_index_.file().trim(path(FileKind::time_index)));
  MOLDAU_CO_CHECK(co_await offset_index_.file().trim(path(FileKind::offset_index)));
  co_return log_result<>{};
}

task<log_result<>> Segment::close() {
  if (expects_indexes_) {
    MOLDAU_CO_CHECK(co_await need_offset_index());
    MOLDAU_CO_CHECK(co_await need_time_index());
  }
  if (max_timestamp_) {
    MOLDAU_CO_CHECK(co_await need_time_index());
    time_index_.maybe_append(*max_timestamp_);
  }
  if (time_index_.file().is_loaded()) MOLDAU_CO_CHECK(co_await time_index_.file().trim(path(FileKind::time_index)));
  if (offset_index_.file().is_loaded())
    MOLDAU_CO_CHECK(co_await offset_index_.file().trim(path(FileKind::offset_index)));
  close_files();
  co_return log_result<>{};
}

void Segment::close_files() {
  log_.close();
  offset_index_.file().close();
  time_index_.file().close();
  transaction_index_.close();
}

task<log_result<std::vector<FilePtr>>> Segment::settle(const LogConfig& config) {
  std::vector<FilePtr> files;
  MOLDAU_CO_TRY(FilePtr log, co_await log_file());
  files.push_back(std::move(log));
  MOLDAU_CO_TRY(FilePtr times, co_await time_index_.file().settle(path(FileKind::time_index), config.segment_index_bytes));
  if (times != nullptr) files.push_back(std::move(times));
  MOLDAU_CO_TRY(FilePtr offsets,
                co_await offset_index_.file().settle(path(FileKind::offset_index), config.segment_index_bytes));
  if (offsets != nullptr) files.push_back(std::move(offsets));
  MOLDAU_CO_TRY(FilePtr transactions, co_await transaction_index_.settle(path(FileKind::transaction_index)));
  if (transactions != nullptr) files.push_back(std::move(transactions));
  co_return files;
}

}  // namespace moldau::storage
