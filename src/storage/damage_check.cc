#include "storage/damage_check.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/mutant.h"
#include "protocol/legacy_batch.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::task;

namespace {

struct Damage {
  uint64_t position = 0;
  std::string what;
  bool was_written_whole = false;  // so it is no torn end, whatever follows
};

// Where the file is not whole batches any more, each with the offset that follows the one before; null if it is to its end.
task<log_result<std::optional<Damage>>> first_damage(runtime::FilePtr file, uint64_t size_bytes, Offset& next) {
  const std::string path = file->path();
  BatchScanner scanner(std::move(file), 0, size_bytes, ScanDepth::whole_batches);
  while (true) {
    switch (scanner.next()) {
      case ScanStep::need_bytes: MOLDAU_CO_CHECK(co_await scanner.fill()); continue;
      case ScanStep::damaged:
        if (const NewerBatch* newer = scanner.newer_batch(next))
          co_return fail(Error(ErrorCode::kafka_storage_error, about_newer_batch(path, *newer) + ". Nothing was changed. Start the release that wrote it, or put the directory back from a copy"));
        co_return Damage{scanner.next_position(), scanner.damage()};
      case ScanStep::end:
        if (scanner.next_position() == size_bytes) co_return std::nullopt;
        co_return Damage{scanner.next_position(), fmt::format("a batch longer than the {} bytes left", size_bytes - scanner.next_position())};
      case ScanStep::batch: break;
    }
    const protocol::RecordBatchHeader& batch = scanner.header();
    const bool is_crc_right = protocol::is_crc_right_in_any_magic(scanner.bytes());
    // No checksum covers the offset; but sectors that the power took are zeros, which make no number greater.
    if (batch.base_offset != next || batch.last_offset_delta < 0)
      co_return Damage{scanner.position(), fmt::format("offset {} where {} is next", batch.base_offset, next), is_crc_right && batch.base_offset > next};
    if (!is_crc_right) co_return Damage{scanner.position(), fmt::format("a wrong checksum at offset {}", batch.base_offset)};
    next = batch.next_offset();
  }
}

// A whole batch of `next` or above somewhere in `bytes`, behind their front.
std::optional<size_t> find_whole_batch(ByteView bytes, Offset next) {
  for (size_t at = 1; at + protocol::record_batch_header_bytes <= bytes.size(); ++at) {
    if (load_be<int8_t>(bytes.data() + at + 16) != 2) continue;
    const auto length = load_be<int32_t>(bytes.data() + at + 8);
    const uint64_t size = uint64_t{protocol::batch_overhead_bytes} + static_cast<uint32_t>(std::max(length, 0));
    if (size < protocol::record_batch_header_bytes || size > bytes.size() - at) continue;
    if (load_be<int64_t>(bytes.data() + at) < next.value()) continue;
    if (protocol::is_crc_right_in_any_magic(bytes.subspan(at, size))) return at;
  }
  return std::nullopt;
}

// Whether a sector of [position, position + size) is one that a power cut took: it never reached the disk, so it is zeros, while
// what was written behind it may have. `bytes` begin at `position` of the file. A sector in which something whole begins is none.
bool has_lost_sector(ByteView bytes, uint64_t position, uint64_t size) {
  constexpr uint64_t sector_bytes = 512;
  constexpr uint64_t told_apart_bytes = 8;  // less of the first sector may be zeros anyway, as the first bytes of an offset are
  for (uint64_t at = position; at < position + size;) {
    const uint64_t end = (at / sector_bytes + 1) * sector_bytes;
    if (end > position + size) return false;
    const ByteView sector = bytes.subspan(at - position, end - at);
    if (sector.size() >= told_apart_bytes && std::ranges::all_of(sector, [](std::byte byte) { return byte == std::byte{0}; })) return true;
    at = end;
  }
  return false;
}

std::string advice(const std::string& path, const Damage& damage, const std::string& after) {
  return fmt::format("{} cannot be read from position {} on ({}), but {}: that is no torn end, and what was committed is missing. Nothing was "
                     "changed. Put the directory back from a copy; or, to begin again with what stands before the damage, remove the segments "
                     "behind this one and cut it: truncate -s {} {}",
                     path, damage.position, damage.what, after, damage.position, path);
}

}  // namespace

task<log_result<>> check_for_damage(runtime::FileSystem& files, std::string directory) {
  const auto entries = co_await files.list(directory);
  if (!entries && entries.error().error_number == ENOENT) co_return log_result<>{};
  if (!entries) co_return fail(Error(entries.error()));
  std::vector<SegmentFileName> segments;
  for (const runtime::DirectoryEntry& entry : *entries)
    if (const auto name = parse_file_name(entry.name); name && name->kind == FileKind::log && name->stage == FileStage::live)
      segments.push_back(*name);
  std::ranges::sort(segments, {}, &SegmentFileName::base_offset);
  Offset next = segments.empty() ? Offset(0) : segments.front().base_offset;
  for (size_t i = 0; i < segments.size() && !MOLDAU_MUTANT("metadata-damage-cut"); ++i) {
    const std::string path = file_path(directory, segments[i].base_offset, FileKind::log);
    MOLDAU_CO_TRY(const runtime::FilePtr file, co_await files.open(path, runtime::OpenMode::read));
    MOLDAU_CO_TRY(const uint64_t size_bytes, co_await file->size());
    MOLDAU_CO_TRY(const std::optional<Damage> damage, co_await first_damage(file, size_bytes, next));
    if (!damage) continue;
    if (damage->was_written_whole) co_return fail(Error(ErrorCode::corrupt_message, advice(path, *damage, "the checksum of that batch is right")));
    Bytes rest(size_bytes - damage->position);
    MOLDAU_CO_TRY(const size_t got, co_await file->read_at(damage->position, rest));
    const auto whole = find_whole_batch(ByteView(rest).first(got), next);
    if (whole && !has_lost_sector(ByteView(rest).first(got), damage->position, *whole))
      co_return fail(Error(ErrorCode::corrupt_message,
                           advice(path, *damage, fmt::format("whole records follow at position {}", damage->position + *whole))));
    for (size_t later = i + 1; later < segments.size(); ++later) {
      const std::string later_path = file_path(directory, segments[later].base_offset, FileKind::log);
      MOLDAU_CO_TRY(const runtime::FileStatus status, co_await files.status(later_path));
      if (status.size_bytes > 0)
        co_return fail(Error(ErrorCode::corrupt_message, advice(path, *damage, fmt::format("{} follows", later_path))));
    }
    co_return log_result<>{};
  }
  co_return log_result<>{};
}

}  // namespace moldau::storage
