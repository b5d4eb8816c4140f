// SegmentReader: the whole batches of a part of a log file, in blocks, for compaction.
//
// Every batch, of whatever magic, is checked before it is handed out: framing, that offsets rise, CRC. corrupt_message names the
// position of what is wrong.
#pragma once

#include "protocol/record_batch.h"
#include "runtime/file.h"
#include "storage/error.h"

namespace moldau::storage {

class SegmentReader {
 public:
  // Reads [position, end) in blocks of about `block_bytes`; a batch that is longer comes whole, alone.
  SegmentReader(runtime::FilePtr file, uint64_t position, uint64_t end, uint32_t block_bytes);

  // Reads on and calls `use(batch)` for each whole batch, which says whether to go on; between two blocks `has_enough(bytes)` is
  // asked whether the bytes that were read in this turn are enough. Gives these bytes; 0: the end. The calling thread waits for the
  // disk, so this is for work off the shard: a turn of several blocks costs one hand-over, and a block is used while it is
  // in the processor's cache.
  template <class Use, class HasEnough>
  log_result<uint64_t> take(Use use, HasEnough has_enough);

 private:
  // The next block, which begins with a batch and holds at least one whole one; empty at the end. Valid until the next
  // call. What lies behind its last whole batch comes with the next block.
  [[nodiscard]] log_result<ByteView> next();
  // The batch at `at` of the block; null where it is cut off.
  [[nodiscard]] log_result<std::optional<ByteView>> batch_at(ByteView block, size_t at);

  runtime::FilePtr file_;
  uint64_t position_;
  uint64_t end_;
  uint32_t block_bytes_;
  Bytes block_;
  Offset next_offset_{0};
};

template <class Use, class HasEnough>
log_result<uint64_t> SegmentReader::take(Use use, HasEnough has_enough) {
  uint64_t taken = 0;
  do {
    MOLDAU_TRY(const ByteView block, next());
    if (block.empty()) break;
    taken += block.size();
    for (size_t at = 0;;) {
      MOLDAU_TRY(const std::optional<ByteView> batch, batch_at(block, at));
      if (!batch) break;
      MOLDAU_TRY(const bool goes_on, use(*batch));
      if (!goes_on) return taken;
      at += batch->size();
    }
  } while (!has_enough(taken));
  return taken;
}

}  // namespace moldau::storage
