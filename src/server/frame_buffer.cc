#include "server/frame_buffer.h"

#include <algorithm>
#include <cstring>

namespace moldau::server {

static constexpr size_t size_prefix_bytes = 4;

Block::Block(MemoryBudget& budget, size_t capacity)
    : budget_(budget), data_(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {
  budget_.take(capacity_);
}
Block::~Block() { budget_.give_back(capacity_); }

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
  next_frame_bytes_ = 0;
  return std::optional<Frame>(std::move(frame));
}

size_t FrameBuffer::wanted_capacity() const {
  const size_t ordinary = busy_ && budget_.has_room() ? usual_block_bytes : initial_block_bytes;
  if (next_frame_bytes_ <= ordinary) return ordinary;
  // A large frame gets room as its bytes arrive: twice what is here, at most all of it.
  return std::min(next_frame_bytes_, std::max<size_t>(4 * usual_block_bytes, 2 * pending_bytes()));
}

bool FrameBuffer::wants_large_block() const {
  const size_t wanted = wanted_capacity();
  return next_frame_bytes_ > initial_block_bytes && (!block_ || block_->capacity() < wanted);
}

MutableByteView FrameBuffer::space() {
  const size_t pending = pending_bytes();
  const bool sole = block_ && block_.use_count() == 1;
  if (sole && pending == 0) begin_ = end_ = 0;
  const size_t free = block_ ? block_->capacity() - end_ : 0;
  const size_t missing = next_frame_bytes_ > pending ? next_frame_bytes_ - pending : 1;
  if (block_ && free >= missing && (free >= 2048 || next_frame_bytes_ != 0)) return {block_->data() + end_, free};

  const size_t wanted = std::max(wanted_capacity(), pending + 1);
  if (sole && block_->capacity() >= wanted && block_->capacity() - pending >= missing) {
    std::memmove(block_->data(), block_->data() + begin_, pending);
  } else if (block_ && free > 0 && block_->capacity() >= wanted && begin_ == 0) {
    return {block_->data() + end_, free};  // a growing frame that has not filled its block yet
  } else {
    auto larger = std::make_shared<Block>(budget_, wanted);
    if (pending > 0) std::memcpy(larger->data(), block_->data() + begin_, pending);
    block_ = std::move(larger);
  }
  begin_ = 0;
  end_ = pending;
  return {block_->data() + end_, block_->capacity() - end_};
}

void FrameBuffer::filled(size_t bytes) {
  end_ += bytes;
  MOLDAU_ASSERT(end_ <= block_->capacity());
  busy_ = end_ == block_->capacity() || (busy_ && bytes > initial_block_bytes / 4);
}

}  // namespace moldau::server
