// Where a segment holds an offset or a timestamp.
#include "storage/segment.h"

namespace moldau::storage {

using protocol::ErrorCode;
using protocol::RecordBatchHeader;
using runtime::FilePtr;
using runtime::task;

BatchPlace BatchPlace::of(const RecordBatchHeader& batch, uint32_t position, uint32_t sought_from) {
  return {batch.base_offset, batch.last_offset(), position, static_cast<uint32_t>(batch.size_bytes()),
          batch.leader_epoch, batch.max_timestamp_ms, sought_from};
}

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
        co_return BatchPlace::of(header, static_cast<uint32_t>(scanner.position()), begin);
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

}  // namespace moldau::storage
