// The offset index of a segment (`.index`): sparse pairs of an offset and the file position of its batch.
//
// An entry is eight bytes: the offset less the segment's base and the position, both big-endian 32 bits. The offset is
// the last one of a batch, the position where that batch starts, so a lookup finds the greatest entry not above the
// target and the log is searched on from there. Kafka: OffsetIndex.
#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "storage/index_file.h"

namespace moldau::storage {

struct OffsetPosition {
  Offset offset;
  uint32_t position = 0;
  friend bool operator==(const OffsetPosition&, const OffsetPosition&) = default;
};

class OffsetIndex {
 public:
  static constexpr uint32_t entry_size = 8;

  OffsetIndex(OpenFiles& cache, Offset base_offset) : file_(cache, entry_size), base_offset_(base_offset) {}

  [[nodiscard]] IndexFile& file() { return file_; }
  [[nodiscard]] uint32_t entries() const { return file_.entries(); }
  [[nodiscard]] bool is_full(uint32_t index_bytes) const { return entries() >= index_bytes / entry_size; }
  // The base offset when the index is empty.
  [[nodiscard]] Offset last_offset() const { return last_offset_; }

  // Learns the size and the last entry. False: what is there cannot be an index of this segment.
  runtime::task<runtime::io_result<bool>> load(std::string path);
  // The same for an index whose process was killed: it ends before the zeros that the file was stretched with.
  runtime::task<runtime::io_result<>> load_after_kill(std::string path);
  void start_empty();
  // (base, 0) when the index is empty.
  runtime::task<runtime::io_result<OffsetPosition>> last_entry(std::string path);

  // Offsets rise strictly.
  void append(Offset offset, uint32_t position);
  // The greatest entry not above `target`, or (base, 0).
  runtime::task<runtime::io_result<OffsetPosition>> lookup(std::string path, Offset target);
  // The first entry at or behind file position `position`.
  runtime::task<runtime::io_result<std::optional<OffsetPosition>>> first_at_or_after(std::string path, uint64_t position);
  // Forgets what points at `offset` or beyond.
  runtime::task<runtime::io_result<>> truncate_to(std::string path, Offset offset);

 private:
  runtime::task<runtime::io_result<OffsetPosition>> entry(std::string path, uint32_t n);
  [[nodiscard]] OffsetPosition parse(const std::byte* at) const;

  IndexFile file_;
  Offset base_offset_;
  Offset last_offset_ = base_offset_;
};

}  // namespace moldau::storage
