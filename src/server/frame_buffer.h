// FrameBuffer: bytes of one connection, read in large pieces and handed out as whole frames that are never copied.
//
// A frame is a 4-byte big-endian size and that many bytes (Kafka's framing). A Frame shares the block that it lies in,
// so requests that are still being served keep their bytes while the connection reads on. Blocks grow only as bytes
// arrive: a client that announces 100 MB and sends ten bytes holds 16 KiB. Only one that has sent a whole frame of some
// size gets room for another such at once, up to 2 MiB. One shard only; the owner is a connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "server/memory_budget.h"

namespace moldau::server {

// Bytes that frames lie in; counted against the budget for as long as anybody holds it.
class Block {
 public:
  Block(MemoryBudget& budget, size_t capacity);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();
  [[nodiscard]] std::byte* data() { return data_.get(); }
  [[nodiscard]] size_t capacity() const { return capacity_; }

 private:
  MemoryBudget& budget_;
  std::unique_ptr<std::byte[]> data_;
  size_t capacity_;
};

struct Frame {
  std::shared_ptr<Block> owner;
  ByteView bytes;  // without the size
};

enum class FrameFault : uint8_t { negative_size, too_large };

class FrameBuffer {
 public:
  static constexpr size_t initial_block_bytes = 16 << 10;
  static constexpr size_t usual_block_bytes = 64 << 10;

  FrameBuffer(MemoryBudget& budget, uint32_t max_frame_bytes);

  // The next whole frame; nothing while it is incomplete; a fault for a size that no frame may have.
  [[nodiscard]] result<std::optional<Frame>, FrameFault> next();

  // Room for at least one byte, after next() gave nothing. May move an incomplete frame to a new block.
  [[nodiscard]] MutableByteView space();
  void filled(size_t bytes);

  // Whether space() would take a block that is larger than the first one: the caller asks the budget first.
  [[nodiscard]] bool wants_large_block() const;
  // Of the incomplete frame, with its size prefix; 0 while that is not known.
  [[nodiscard]] size_t next_frame_bytes() const { return next_frame_bytes_; }
  // Bytes of an incomplete frame that wait here.
  [[nodiscard]] size_t pending_bytes() const { return end_ - begin_; }
  // The beginning of what has not been taken, to tell what a stranger sent.
  [[nodiscard]] ByteView pending() const { return block_ ? ByteView(block_->data() + begin_, end_ - begin_) : ByteView(); }

 private:
  [[nodiscard]] size_t wanted_capacity() const;
  [[nodiscard]] MutableByteView offer();

  MemoryBudget& budget_;
  uint32_t max_frame_bytes_;
  std::shared_ptr<Block> block_;
  size_t begin_ = 0;          // of what has not been handed out
  size_t end_ = 0;            // of what has been read
  size_t offered_bytes_ = 0;  // by the last space()
  size_t next_frame_bytes_ = 0;  // with its size; 0 while unknown
  size_t last_frame_bytes_ = 0;  // of the one handed out last
  bool busy_ = false;         // a read filled all that it was offered: offer more
};

}  // namespace moldau::server
