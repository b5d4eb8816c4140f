#include "storage/segment.h"

#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "runtime/shard.h"
#include "storage/late_write_mutant.h"

namespace moldau::storage {

using protocol::ErrorCode;
using protocol::RecordBatchHeader;
using runtime::FilePtr;
using runtime::OpenMode;
using runtime::task;

static BatchPlace place_of(const RecordBatchHeader& batch, uint32_t position, uint32_t sought_from) {
  return {batch.base_offset, batch.last_offset(), position, static_cast<uint32_t>(batch.size_bytes()),
          batch.leader_epoch, batch.max_timestamp_ms, sought_from};
}

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

// --- indexes ---

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
    newest_batch_ = place_of(batch, at, at);
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

// --- lookup ---

task<log_result<std::optional<BatchPlace>>> Segment::find(Offset offset, bool is_strict) {
  if (newest_batch_ && offset >= newest_batch_->base_offset && offset <= newest_batch_->last_offset && !trust_.has_damage())
    co_return newest_batch_;
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_TRY(const OffsetPosition near, co_await offset_index_.lookup(path(FileKind::offset_index), offset));
  const auto misled = [&](std::string what) {
    return fail(Error(ErrorCode::corrupt_message, fmt::format("{} at {}, where it names offset {}: {}", path(FileKind::offset_index),
                                                              near.position, near.offset, what)));
  };
  uint32_t begin = near.position;
  if (is_strict && begin > 0 && begin >= size_bytes_) co_return misled("the log ends before it");
  if (trust_.has_damage()) {
    MOLDAU_CO_TRY(begin, begin_beside_damage(offset, begin));
  }
  MOLDAU_CO_TRY(FilePtr file, co_await log_file());
  const uint32_t end = trust_.sound_end(begin, size_bytes_);
  BatchScanner scanner(std::move(file), begin, end);
  while (true) {
    switch (scanner.next()) {
      case ScanStep::batch: {
        const RecordBatchHeader& header = scanner.header();
        // No batch before the one that an entry names may hold what lies above the entry's offset; else the index is wrong.
        if (is_strict && scanner.position() == near.position && near.position > 0 && header.last_offset() > near.offset)
          co_return misled(fmt::format("a batch ends there at offset {}", header.last_offset()));
        if (header.last_offset() < offset) break;
        co_return place_of(header, static_cast<uint32_t>(scanner.position()), begin);
      }
      case ScanStep::need_bytes: MOLDAU_CO_CHECK(co_await scanner.fill()); break;
      case ScanStep::end:
        if (is_strict && scanner.next_position() != end)
          co_return misled(fmt::format("no batch at {}", scanner.next_position()));
        co_return std::optional<BatchPlace>{};
      case ScanStep::damaged:
        co_return fail(Error(ErrorCode::corrupt_message,
                             fmt::format("{} holds {}", path(FileKind::log), scanner.damage())));
    }
  }
}

// Where to look for an offset in a segment that is damaged elsewhere.
log_result<uint32_t> Segment::begin_beside_damage(Offset offset, uint32_t near) const {
  if (const DamagedRange* range = trust_.damage_at_offset(offset))
    return fail(Error(ErrorCode::corrupt_message,
                      fmt::format("offsets {} to {} are damaged at position {} of {}: {}", range->first_offset,
                                  range->end_offset - 1, range->begin, path(FileKind::log), range->reason)));
  for (const DamagedRange& range : trust_.damage())
    if (range.end_offset <= offset) near = std::max(near, range.end);
  return near;
}

task<log_result<Offset>> Segment::read_next_offset() {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_TRY(const OffsetPosition near,
                co_await offset_index_.lookup(path(FileKind::offset_index), offset_index_.last_offset()));
  MOLDAU_CO_TRY(FilePtr file, co_await log_file());
  Offset next = base_offset_;
  BatchScanner scanner(std::move(file), std::min(near.position, size_bytes_), size_bytes_);
  while (true) {
    const ScanStep step = scanner.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await scanner.fill());
      continue;
    }
    // Records that were appended behind it would have offsets that it has.
    if (const NewerBatch* newer = step == ScanStep::damaged ? scanner.newer_batch(next) : nullptr; newer != nullptr && can_hold(newer->offset))
      co_return fail(newer_format_error(path(FileKind::log), *newer));
    if (step != ScanStep::batch) co_return next;
    next = scanner.header().last_offset() + 1;
  }
}

task<log_result<TimestampOffset>> Segment::max_timestamp() {
  if (!max_timestamp_) {
    MOLDAU_CO_CHECK(co_await need_time_index());
    if (!max_timestamp_) max_timestamp_ = time_index_.last_entry();
  }
  co_return *max_timestamp_;
}

task<log_result<int64_t>> Segment::largest_timestamp_ms() {
  MOLDAU_CO_TRY(const TimestampOffset newest, co_await max_timestamp());
  if (newest.timestamp_ms >= 0) co_return newest.timestamp_ms;
  co_return co_await modified_ms();
}

task<log_result<int64_t>> Segment::modified_ms() {
  MOLDAU_CO_TRY(const runtime::FileStatus status, co_await log_.files().status(path(FileKind::log)));
  co_return status.modified_ms;
}

task<log_result<uint32_t>> Segment::position_near(Offset offset) {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_TRY(const OffsetPosition near, co_await offset_index_.lookup(path(FileKind::offset_index), offset));
  co_return std::min(near.position, size_bytes_);
}

task<log_result<Segment::IndexSizes>> Segment::index_sizes() {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_CHECK(co_await need_time_index());
  co_return IndexSizes{uint64_t{offset_index_.entries()} * OffsetIndex::entry_size,
                       uint64_t{time_index_.entries()} * TimeIndex::entry_size};
}

task<log_result<std::optional<Offset>>> Segment::upper_bound_offset(uint32_t position, uint32_t size_bytes) {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_TRY(const std::optional<OffsetPosition> found,
                co_await offset_index_.first_at_or_after(path(FileKind::offset_index), uint64_t{position} + size_bytes));
  co_return found ? std::optional(found->offset) : std::nullopt;
}

task<log_result<uint32_t>> Segment::position_for_timestamp(int64_t timestamp_ms, Offset start) {
  MOLDAU_CO_CHECK(co_await need_time_index());
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_TRY(const TimestampOffset before, co_await time_index_.lookup(path(FileKind::time_index), timestamp_ms));
  MOLDAU_CO_TRY(const OffsetPosition near, co_await offset_index_.lookup(path(FileKind::offset_index),
                                                                        std::max(before.offset, start)));
  co_return near.position;
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
  MOLDAU_CO_CHECK(co_await transaction_index_.truncate_to(path(FileKind::transaction_index), offset));
  const uint32_t before = size_bytes_;
  if (place) MOLDAU_CO_CHECK(co_await truncate_file(place->position));
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

// --- recovery ---

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

// --- names ---

task<log_result<>> Segment::change_stage(FileStage stage) {
  if (!is_kept_readable_) close_files();
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index}) {
    if (kind == FileKind::transaction_index && !transaction_index_.may_exist()) continue;
    const auto renamed = co_await log_.files().rename(path(kind), file_path(directory_, base_offset_, kind, stage));
    if (!renamed && renamed.error().error_number != ENOENT) co_return fail(Error(renamed.error()));
  }
  stage_ = stage;
  co_return log_result<>{};
}

task<log_result<>> Segment::keep_readable() {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_CHECK(co_await need_time_index());
  MOLDAU_CO_CHECK(co_await max_timestamp());
  MOLDAU_CO_TRY(const FilePtr log, co_await log_file());
  log_.keep_open();
  MOLDAU_CO_CHECK(co_await offset_index_.file().keep_open(path(FileKind::offset_index)));
  MOLDAU_CO_CHECK(co_await time_index_.file().keep_open(path(FileKind::time_index)));
  MOLDAU_CO_CHECK(co_await transaction_index_.keep_open(path(FileKind::transaction_index)));
  is_kept_readable_ = true;
  co_return log_result<>{};
}

task<log_result<>> Segment::set_modified_ms(int64_t modified_ms) {
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index})
    MOLDAU_CO_CHECK(co_await log_.files().set_modified_ms(path(kind), modified_ms));
  co_return log_result<>{};
}

task<log_result<>> Segment::remove_files() {
  close_files();
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index}) {
    const auto removed = co_await log_.files().remove(path(kind));
    if (!removed && removed.error().error_number != ENOENT) co_return fail(Error(removed.error()));
  }
  co_return log_result<>{};
}

}  // namespace moldau::storage
