#include "storage/index_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace moldau::storage {

IndexCheck::IndexCheck(Offset base_offset, Bytes offset_index, Bytes time_index) {
  if (offset_index.size() % OffsetIndex::entry_size != 0) offset_fault_ = "its size is no multiple of an entry's";
  if (time_index.size() % TimeIndex::entry_size != 0) time_fault_ = "its size is no multiple of an entry's";
  for (size_t at = 0; at + OffsetIndex::entry_size <= offset_index.size(); at += OffsetIndex::entry_size) {
    const PositionEntry entry{base_offset + load_be<int32_t>(offset_index.data() + at),
                              load_be<uint32_t>(offset_index.data() + at + 4)};
    if (!positions_.empty() && (entry.offset <= positions_.back().offset || entry.position <= positions_.back().position) &&
        offset_fault_.empty())
      offset_fault_ = fmt::format("offset {} at {} stands behind offset {} at {}", entry.offset, entry.position,
                                  positions_.back().offset, positions_.back().position);
    positions_.push_back(entry);
  }
  for (size_t at = 0; at + TimeIndex::entry_size <= time_index.size(); at += TimeIndex::entry_size) {
    const TimeEntry entry{load_be<int64_t>(time_index.data() + at), base_offset + load_be<int32_t>(time_index.data() + at + 8)};
    if (!times_.empty() && (entry.timestamp_ms < times_.back().timestamp_ms || entry.offset < times_.back().offset) &&
        time_fault_.empty())
      time_fault_ = fmt::format("time {} of offset {} stands behind time {} of offset {}", entry.timestamp_ms, entry.offset,
                                times_.back().timestamp_ms, times_.back().offset);
    times_.push_back(entry);
  }
}

std::optional<Offset> IndexCheck::lost_offset(uint64_t size, Offset end, Offset limit) const {
  const auto is_lost = [&](Offset offset) { return offset >= end && offset < limit; };
  if (!positions_.empty() && positions_.back().position >= size && is_lost(positions_.back().offset))
    return positions_.back().offset;
  if (!times_.empty() && times_.back().timestamp_ms > max_timestamp_ms_ && is_lost(times_.back().offset))
    return times_.back().offset;
  return std::nullopt;
}

void IndexCheck::take(const protocol::RecordBatchHeader& batch, uint64_t position) {
  max_timestamp_ms_ = std::max(max_timestamp_ms_, batch.max_timestamp_ms);
  while (next_position_ < positions_.size() && positions_[next_position_].position < position) ++next_position_;
  if (next_position_ < positions_.size() && positions_[next_position_].position == position) {
    PositionEntry& entry = positions_[next_position_++];
    // An older Kafka may have written the last offset of several batches that it appended together.
    entry.is_met = batch.last_offset() <= entry.offset;
    if (!entry.is_met && offset_fault_.empty())
      offset_fault_ = fmt::format("offset {} is said to be at {}, where a batch ends at {}", entry.offset, position,
                                  batch.last_offset());
  }
  while (next_time_ < times_.size() && times_[next_time_].offset <= batch.last_offset()) {
    TimeEntry& entry = times_[next_time_++];
    entry.is_met = true;
    if (entry.timestamp_ms >= 0 && entry.offset >= batch.base_offset && entry.timestamp_ms != batch.max_timestamp_ms &&
        time_fault_.empty())
      time_fault_ = fmt::format("offset {} is said to have time {}, its batch has {}", entry.offset, entry.timestamp_ms,
                                batch.max_timestamp_ms);
  }
}

void IndexCheck::finish(const std::vector<DamagedRange>& damage, Offset end, Offset limit) {
  if (offset_fault_.empty() && !positions_.empty() && positions_.back().offset >= limit)
    offset_fault_ = fmt::format("it names offset {}, where less than {} may be", positions_.back().offset, limit);
  const auto is_damaged_at = [&](uint32_t position) {
    return std::ranges::any_of(damage, [&](const DamagedRange& range) { return position >= range.begin && position <= range.end; });
  };
  for (const PositionEntry& entry : positions_)
    if (!entry.is_met && offset_fault_.empty() && !is_damaged_at(entry.position))
      offset_fault_ = fmt::format("offset {} points to {}, where no batch begins", entry.offset, entry.position);
  for (const TimeEntry& entry : times_) {
    const bool is_lost = std::ranges::any_of(damage, [&](const DamagedRange& range) {
      return entry.offset >= range.first_offset && entry.offset < range.end_offset;
    });
    if (!entry.is_met && entry.timestamp_ms >= 0 && entry.offset >= end && !is_lost && time_fault_.empty())
      time_fault_ = fmt::format("offset {} of time {} is not in the segment", entry.offset, entry.timestamp_ms);
  }
}

std::string transaction_index_fault(ByteView bytes, Offset base_offset, Offset limit) {
  if (bytes.size() % TransactionIndex::entry_size != 0) return "its size is no multiple of an entry's";
  Offset previous = base_offset - 1;
  for (size_t at = 0; at < bytes.size(); at += TransactionIndex::entry_size) {
    const auto version = load_be<int16_t>(bytes.data() + at);
    const Offset first(load_be<int64_t>(bytes.data() + at + 10));
    const Offset last(load_be<int64_t>(bytes.data() + at + 18));
    if (version != 0) return fmt::format("an entry of version {} at {}", version, at);
    if (first > last || last <= previous || last >= limit)
      return fmt::format("a transaction of offsets {} to {} at {}, in a segment of offsets {} to {}", first, last, at,
                         base_offset, limit - 1);
    previous = last;
  }
  return {};
}

}  // namespace moldau::storage
