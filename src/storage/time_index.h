// The time index of a segment (`.timeindex`): which timestamps were reached up to which offset.
//
// An entry is twelve bytes: a timestamp (64 bits) and an offset less the segment's base (32 bits); it says that no record
// before or at that offset is newer than the timestamp. Timestamps rise strictly, offsets never fall. One slot stays free
// for the entry that is added when the segment is rolled or closed. Kafka: TimeIndex.
#pragma once

#include <string>

#include "base/ids.h"
#include "storage/index_file.h"

namespace moldau::storage {

struct TimestampOffset {
  int64_t timestamp_ms = -1;
  Offset offset;
  friend bool operator==(const TimestampOffset&, const TimestampOffset&) = default;
};

class TimeIndex {
 public:
  static constexpr uint32_t entry_size = 12;

  TimeIndex(OpenFiles& cache, Offset base_offset) : file_(cache, entry_size), base_offset_(base_offset) {}

  [[nodiscard]] IndexFile& file() { return file_; }
  [[nodiscard]] uint32_t entries() const { return file_.entries(); }
  [[nodiscard]] bool is_full(uint32_t index_bytes) const { return entries() + 1 >= index_bytes / entry_size; }
  // (-1, base offset) when the index is empty.
  [[nodiscard]] TimestampOffset last_entry() const { return last_; }

  // Learns the size and the last entry. False: what is there cannot be an index of this segment.
  runtime::task<runtime::io_result<bool>> load(std::string path);
  // The same for an index whose process was killed: it ends before the zeros that the file was stretched with, and before
  // an entry that was not written whole.
  runtime::task<runtime::io_result<>> load_after_kill(std::string path);
  void start_empty();

  // Adds the pair if its timestamp is newer than the last one, and its offset not lower.
  void maybe_append(TimestampOffset entry);
  // The last entry that is not newer than `timestamp_ms`, or (-1, base offset).
  runtime::task<runtime::io_result<TimestampOffset>> lookup(std::string path, int64_t timestamp_ms);
  // Forgets what points at `offset` or beyond.
  runtime::task<runtime::io_result<>> truncate_to(std::string path, Offset offset);

 private:
  runtime::task<runtime::io_result<TimestampOffset>> entry(std::string path, uint32_t n);

  IndexFile file_;
  Offset base_offset_;
  TimestampOffset last_{-1, base_offset_};
};

}  // namespace moldau::storage
