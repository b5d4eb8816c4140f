// SegmentReader: the whole batches of a part of a log file, in blocks, for compaction.
//
// Every batch, of whatever magic, is checked before it is handed out: framing, that offsets rise, CRC. The checks run off the shard
// with the work on the batches: next() reads, check() checks. corrupt_message names the position of what is wrong.
#pragma once

#include "protocol/record_batch.h"
#include "runtime/file.h"
#include "storage/error.h"

namespace moldau::storage {

class SegmentReader {
 public:
  // Reads [position, end) in blocks of about `block_bytes`; a batch that is longer comes whole, alone.
  SegmentReader(runtime::FilePtr file, uint64_t position, uint64_t end, uint32_t block_bytes);

  // The next block, which begins with a batch and holds at least one whole one; empty at the end. Valid until the next
  // call. What lies behind its last whole batch comes with the next block.
  runtime::task<log_result<ByteView>> next();

  // Calls `use(header, bytes)` for each whole batch of the block that next() gave, which says whether to go on. Any thread.
  template <class Use>
  log_result<> for_each_batch(ByteView block, Use use);

 private:
  // The batch at `at` of the block; null where it is cut off.
  [[nodiscard]] log_result<std::optional<ByteView>> batch_at(ByteView block, size_t at);

  runtime::FilePtr file_;
  uint64_t position_;
  uint64_t end_;
  uint32_t block_bytes_;
  Bytes block_;
  Offset next_offset_{0};
};

template <class Use>
log_result<> SegmentReader::for_each_batch(ByteView block, Use use) {
  size_t at = 0;
  while (true) {
    MOLDAU_TRY(const std::optional<ByteView> batch, batch_at(block, at));
    if (!batch) return {};
    MOLDAU_TRY(const bool goes_on, use(*batch));
    if (!goes_on) return {};
    at += batch->size();
  }
}

}  // namespace moldau::storage
