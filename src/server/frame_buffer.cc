#include "server/frame_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace moldau::server {

static constexpr size_t size_prefix_bytes = 4;
static constexpr size_t most_bytes_at_once = 2 << 20;

Block::Block(MemoryBudget& budget, size_t capacity) : budget_(budget), capacity_(capacity) {
  data_ = budget_.spare.take(capacity_);
  budget_.take(capacity_);
}
Block::~Block() {
  budget_.spare.give_back(std::move(data_), capacity_);
  budget_.give_back(capacity_);
}

FrameBuffer::FrameBuffer(MemoryBudget& budget, uint32_t max_frame_bytes)
    : budget_(budget), max_frame_bytes_(max_frame_bytes) {}

result<std::optional<Frame>, FrameFault> FrameBuffer::next() {
  if (end_ - begin_ < size_prefix_bytes) {
    next_frame_bytes_ = 0;
    return std::nullopt;
  }
  const auto size = load_be<int32_t>(block_->data() + begin_);
  if (size < 0) return fail(FrameFault::negative_size);
  if (static_cast<uint32_t>(size) > max_frame_bytes_) return fail(FrameFault::too_large);
  next_frame_bytes_ = size_prefix_bytes + static_cast<size_t>(size);
  if (end_ - begin_ < next_frame_bytes_) return std::nullopt;
  Frame frame{block_, ByteView(block_->data() + begin_ + size_prefix_bytes, static_cast<size_t>(size))};
  begin_ += next_frame_bytes_;
  last_frame_bytes_ = std::exchange(next_frame_bytes_, 0);
  return std::optional<Frame>(std::move(frame));
}

size_t FrameBuffer::wanted_capacity() const {
  // After a large frame comes another, mostly: what is read before its size is known must move into its block.
  const bool many_small = busy_ && last_frame_bytes_ <= usual_block_bytes;
  const size_t ordinary = many_small && budget_.has_room() ? usual_block_bytes : initial_block_bytes;
  if (next_frame_bytes_ <= ordinary) return ordinary;
  // A large frame gets room as its bytes arrive: twice what is here, at most all of it.
  const size_t trusted = budget_.has_room() ? std::min(2 * last_frame_bytes_, most_bytes_at_once) : 0;
  return std::min(next_frame_bytes_, std::max({4 * usual_block_bytes, 2 * pending_bytes(), trusted}));
}

bool FrameBuffer::wants_large_block() const {
  const size_t wanted = wanted_capacity();
  return next_frame_bytes_ > initial_block_bytes && (!block_ || block_->capacity() < wanted);
}

// What is free in the block; of a large frame only what it lacks, so that the next one begins in a block of its own.
MutableByteView FrameBuffer::offer() {
  const size_t free = block_->capacity() - end_;
  offered_bytes_ = next_frame_bytes_ > usual_block_bytes ? std::min(free, next_frame_bytes_ - pending_bytes()) : free;
  return {block_->data() + end_, offered_bytes_};
}

MutableByteView FrameBuffer::space() {
  const size_t pending = pending_bytes();
  // A connection that waits for its next request keeps no large block.
  if (block_ && pending == 0 && block_->capacity() > usual_block_bytes) block_ = nullptr;
  const bool sole = block_ && block_.use_count() == 1;
  if (!block_ || (sole && pending == 0)) begin_ = end_ = 0;
  const size_t free = block_ ? block_->capacity() - end_ : 0;
  const size_t missing = next_frame_bytes_ > pending ? next_frame_bytes_ - pending : 1;
  if (block_ && free >= missing && (free >= 2048 || next_frame_bytes_ != 0)) return offer();

  const size_t wanted = std::max(wanted_capacity(), pending + 1);
  if (sole && block_->capacity() >= wanted && block_->capacity() - pending >= missing) {
    std::memmove(block_->data(), block_->data() + begin_, pending);
  } else if (block_ && free > 0 && block_->capacity() >= wanted && begin_ == 0) {
    return offer();  // a growing frame that has not filled its block yet
  } else {
    auto larger = std::make_shared<Block>(budget_, wanted);
    if (pending > 0) std::memcpy(larger->data(), block_->data() + begin_, pending);
    block_ = std::move(larger);
  }
  begin_ = 0;
  end_ = pending;
  return offer();
}

void FrameBuffer::filled(size_t bytes) {
  MOLDAU_ASSERT(bytes <= offered_bytes_);
  end_ += bytes;
  busy_ = bytes == offered_bytes_ || (busy_ && bytes > initial_block_bytes / 4);
}

}  // namespace moldau::server
