// IndexCheck: compares a segment's offset and time index with the batches of its log, which are told to it in order.
//
// No I/O, any thread. It holds the bytes of the files: two megabytes and three for a segment of one gigabyte. An index may
// say less than it could; what it must not do is send a reader behind what he looks for, or claim a time that is not there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/record_batch.h"
#include "storage/segment_trust.h"

namespace moldau::storage {

class IndexCheck {
 public:
  IndexCheck(Offset base_offset, Bytes offset_index, Bytes time_index);

  void take(const protocol::RecordBatchHeader& batch, uint64_t position);
  // The log is through: `damage` is what of it was not told, `end` the offset behind its last batch, and nothing of it is at
  // or above `limit`.
  void finish(const std::vector<DamagedRange>& damage, Offset end, Offset limit);

  // Empty: it is right.
  [[nodiscard]] const std::string& offset_index_fault() const { return offset_fault_; }
  [[nodiscard]] const std::string& time_index_fault() const { return time_fault_; }
  // An offset in [end, limit) that an index knows of and the log, which was told up to `end` and is `size` bytes long, has
  // lost: null if there is none. An entry that is merely wrong is not taken for one.
  [[nodiscard]] std::optional<Offset> lost_offset(uint64_t size, Offset end, Offset limit) const;

 private:
  struct PositionEntry {
    Offset offset;
    uint32_t position = 0;
    bool is_met = false;
  };
  struct TimeEntry {
    int64_t timestamp_ms = -1;
    Offset offset;
    bool is_met = false;
  };

  std::vector<PositionEntry> positions_;
  std::vector<TimeEntry> times_;
  size_t next_position_ = 0;
  size_t next_time_ = 0;
  int64_t max_timestamp_ms_ = -1;
  std::string offset_fault_;
  std::string time_fault_;
};

// What is wrong with the entries of a transaction index by themselves; empty if nothing. Any thread.
[[nodiscard]] std::string transaction_index_fault(ByteView bytes, Offset base_offset, Offset limit);

}  // namespace moldau::storage
