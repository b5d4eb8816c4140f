#include "cli/log_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/crc32c.h"
#include "protocol/legacy_batch.h"
#include "protocol/record_batch.h"
#include "storage/newer_format.h"

namespace moldau::cli {

namespace {

constexpr size_t decompressed_max_bytes = 1U << 30;

bool is_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// The batch that holds `offset`, or would if compaction had left it; null outside the segment.
const CheckedBatch* batch_at_offset(const CheckedSegment& segment, int64_t offset) {
  const auto at = std::ranges::lower_bound(segment.batches, offset, {}, &CheckedBatch::last_offset);
  return at == segment.batches.end() ? nullptr : &*at;
}

// Reads one batch's records; gives how many there are, or says what is wrong.
std::optional<int64_t> check_records(ByteView bytes, int8_t magic, CheckedBatch& batch, std::string& what) {
  if (magic < 2) {
    const auto legacy = protocol::read_legacy_batch(bytes, decompressed_max_bytes);
    if (!legacy || legacy->records_error || !legacy->is_crc_right) {
      what = !legacy                 ? legacy.error().what
             : !legacy->is_crc_right ? "the CRC is wrong"
                                     : legacy->records_error->what;
      return std::nullopt;
    }
    if (!legacy->records.empty()) {
      batch.base_offset = legacy->records.front().offset.value();
      batch.last_offset = legacy->records.back().offset.value();
    }
    batch.max_timestamp_ms = legacy->max_timestamp_ms;
    return static_cast<int64_t>(legacy->records.size());
  }
  const protocol::RecordBatchHeader header = protocol::read_batch_header(bytes);
  batch.base_offset = header.base_offset.value();
  batch.last_offset = header.last_offset().value();
  batch.max_timestamp_ms = header.max_timestamp_ms;
  if (!protocol::is_batch_crc_right(bytes)) {
    what = fmt::format("the CRC is wrong: the header says {:08x}, the bytes have {:08x}", header.crc,
                       protocol::batch_crc(bytes));
    return std::nullopt;
  }
  if (header.last_offset_delta < 0) {
    what = fmt::format("the last offset delta is {}", header.last_offset_delta);
    return std::nullopt;
  }
  protocol::RecordIterator records(bytes, decompressed_max_bytes);
  int64_t count = 0;
  int64_t previous = header.base_offset.value() - 1;
  while (true) {
    const auto next = records.next();
    if (!next) {
      what = fmt::format("record {} cannot be read: {}", count, next.error().what);
      return std::nullopt;
    }
    if (*next == nullptr) return count;
    const int64_t offset = (*next)->offset.value();
    if (offset <= previous || offset > header.last_offset().value()) {
      what = fmt::format("record {} has offset {} behind {}, in a batch of {} to {}", count, offset, previous,
                         header.base_offset.value(), header.last_offset().value());
      return std::nullopt;
    }
    previous = offset;
    ++count;
  }
}

}  // namespace

std::string why_unframed(ByteView bytes, const protocol::BatchError& error) {
  if (error.reason != protocol::BatchError::Reason::unknown_magic) return error.what;
  const auto magic = load_be<int8_t>(bytes.data() + protocol::batch_up_to_magic_bytes - 1);
  return magic > storage::newest_magic && magic <= storage::newest_credible_magic ? "a batch of " + storage::about_newer_magic(magic) : error.what;
}

CheckedSegment check_segment(const std::string& path, ByteView bytes, int64_t base_offset,
                             int64_t previous_end, std::vector<Damage>& damage) {
  CheckedSegment segment;
  int64_t next_offset = std::max(base_offset, previous_end);
  if (previous_end > base_offset && base_offset >= 0 && !bytes.empty()) {
    damage.push_back({path, 0,
                      fmt::format("it starts at offset {}, but the segment before it reaches {}", base_offset,
                                  previous_end - 1)});
  }
  protocol::BatchCursor cursor(bytes);
  while (true) {
    const uint64_t position = cursor.position();
    const auto next = cursor.next();
    if (!next) {
      damage.push_back({path, position,
                        fmt::format("no batch begins here: {}; {} bytes behind it are not read",
                                    why_unframed(bytes.subspan(position), next.error()), bytes.size() - position)});
      return segment;
    }
    if (!*next) break;
    CheckedBatch batch{.position = position,
                       .base_offset = (*next)->base_offset.value(),
                       .last_offset = (*next)->base_offset.value()};
    std::string what;
    const auto count = check_records((*next)->bytes, (*next)->magic, batch, what);
    if (!count) {
      damage.push_back({path, position,
                        fmt::format("the batch of offsets {} to {} is damaged: {}", batch.base_offset,
                                    batch.last_offset, what)});
    } else if (batch.base_offset < next_offset) {
      damage.push_back({path, position,
                        fmt::format("offsets go back: the batch starts at {}, expected is {} or later",
                                    batch.base_offset, next_offset)});
    }
    segment.records += count.value_or(0);
    next_offset = std::max(next_offset, batch.last_offset + 1);
    segment.batches.push_back(batch);
    segment.valid_bytes = cursor.position();
  }
  if (segment.valid_bytes < bytes.size()) {
    const uint64_t rest = bytes.size() - segment.valid_bytes;
    const bool is_room = is_zero(bytes.subspan(segment.valid_bytes));
    if (!is_room)
      damage.push_back(
          {path, segment.valid_bytes, fmt::format("the last {} bytes are a batch that is cut off", rest)});
  }
  return segment;
}

void check_offset_index(const std::string& path, ByteView bytes, int64_t base_offset,
                        const CheckedSegment& segment, std::vector<Damage>& damage) {
  if (bytes.size() % offset_index_entry_bytes != 0)
    damage.push_back(
        {path, bytes.size(), fmt::format("{} bytes are no whole number of entries", bytes.size())});
  int64_t previous_offset = -1;
  int64_t previous_position = -1;
  for (size_t at = 0; at + offset_index_entry_bytes <= bytes.size(); at += offset_index_entry_bytes) {
    if (is_zero(bytes.subspan(at))) return;
    const int64_t offset = base_offset + load_be<int32_t>(bytes.data() + at);
    const int64_t position = load_be<int32_t>(bytes.data() + at + 4);
    if (offset <= previous_offset || position < previous_position) {
      damage.push_back({path, at,
                        fmt::format("entries do not rise: offset {} at {} behind {} at {}", offset, position,
                                    previous_offset, previous_position)});
      return;
    }
    previous_offset = offset;
    previous_position = position;
    const auto batch = std::ranges::lower_bound(segment.batches, static_cast<uint64_t>(position), {},
                                                &CheckedBatch::position);
    if (batch == segment.batches.end() || std::cmp_not_equal(batch->position, position)) {
      damage.push_back(
          {path, at, fmt::format("offset {} points to {}, where no batch begins", offset, position)});
    } else if (batch->base_offset > offset) {
      damage.push_back({path, at,
                        fmt::format("offset {} points to {}, behind it (a batch from {} on)", offset,
                                    position, batch->base_offset)});
    }
  }
}

void check_time_index(const std::string& path, ByteView bytes, int64_t base_offset,
                      const CheckedSegment& segment, std::vector<Damage>& damage) {
  if (bytes.size() % time_index_entry_bytes != 0)
    damage.push_back(
        {path, bytes.size(), fmt::format("{} bytes are no whole number of entries", bytes.size())});
  int64_t previous_timestamp = -1;
  int64_t previous_offset = -1;
  for (size_t at = 0; at + time_index_entry_bytes <= bytes.size(); at += time_index_entry_bytes) {
    if (is_zero(bytes.subspan(at))) return;
    const auto timestamp = load_be<int64_t>(bytes.data() + at);
    const int64_t offset = base_offset + load_be<int32_t>(bytes.data() + at + 8);
    if (timestamp < previous_timestamp || offset < previous_offset) {
      damage.push_back({path, at,
                        fmt::format("entries do not rise: timestamp {} of offset {} behind {} of {}",
                                    timestamp, offset, previous_timestamp, previous_offset)});
      return;
    }
    previous_timestamp = timestamp;
    previous_offset = offset;
    const CheckedBatch* batch = batch_at_offset(segment, offset);
    if (timestamp < 0) continue;  // an empty segment's
    if (batch == nullptr) {
      damage.push_back({path, at, fmt::format("offset {} is not in the segment", offset)});
    } else if (batch->base_offset <= offset && batch->max_timestamp_ms != timestamp) {
      damage.push_back({path, at,
                        fmt::format("offset {} is said to have timestamp {}, its batch has {}", offset,
                                    timestamp, batch->max_timestamp_ms)});
    }
  }
}

void check_transaction_index(const std::string& path, ByteView bytes, std::vector<Damage>& damage) {
  if (bytes.size() % transaction_index_entry_bytes != 0)
    damage.push_back(
        {path, bytes.size(), fmt::format("{} bytes are no whole number of entries", bytes.size())});
  int64_t previous_last = -1;
  for (size_t at = 0; at + transaction_index_entry_bytes <= bytes.size();
       at += transaction_index_entry_bytes) {
    const auto version = load_be<int16_t>(bytes.data() + at);
    const auto first = load_be<int64_t>(bytes.data() + at + 10);
    const auto last = load_be<int64_t>(bytes.data() + at + 18);
    if (version != 0) damage.push_back({path, at, fmt::format("version {}", version)});
    if (first > last || last <= previous_last)
      damage.push_back({path, at,
                        fmt::format("aborted transaction from {} to {} behind one that ends at {}", first,
                                    last, previous_last)});
    previous_last = last;
  }
}

void check_producer_snapshot(const std::string& path, ByteView bytes, std::vector<Damage>& damage) {
  if (bytes.size() < producer_snapshot_header_bytes) {
    damage.push_back({path, 0, fmt::format("{} bytes are too few for a snapshot", bytes.size())});
    return;
  }
  const auto version = load_be<int16_t>(bytes.data());
  const auto crc = load_be<uint32_t>(bytes.data() + 2);
  const auto count = load_be<int32_t>(bytes.data() + 6);
  if (version != 1) damage.push_back({path, 0, fmt::format("version {}, known is 1", version)});
  if (const uint32_t actual = crc32c(bytes.subspan(6)); actual != crc)
    damage.push_back(
        {path, 2, fmt::format("the CRC is wrong: the file says {:08x}, the bytes have {:08x}", crc, actual)});
  const uint64_t expected = producer_snapshot_header_bytes +
                            static_cast<uint64_t>(std::max(count, 0)) * producer_snapshot_entry_bytes;
  if (count < 0 || expected != bytes.size())
    damage.push_back(
        {path, 6,
         fmt::format("{} producers would be {} bytes, the file has {}", count, expected, bytes.size())});
}

void check_text_checkpoint(const std::string& path, std::string_view text, std::vector<Damage>& damage) {
  std::vector<std::string_view> lines;
  std::vector<uint64_t> positions;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    positions.push_back(at);
    at = end + 1;
  }
  if (lines.empty()) return;  // an empty log's leader epochs
  if (lines[0] != "0") {
    damage.push_back({path, 0, "the version is not 0"});
    return;
  }
  size_t count = 0;
  if (lines.size() < 2 ||
      std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), count).ec != std::errc{}) {
    damage.push_back(
        {path, positions.size() > 1 ? positions[1] : text.size(), "the number of entries is missing"});
    return;
  }
  if (lines.size() - 2 != count)
    damage.push_back(
        {path, positions[1], fmt::format("{} entries are announced, there are {}", count, lines.size() - 2)});
}

}  // namespace moldau::cli
