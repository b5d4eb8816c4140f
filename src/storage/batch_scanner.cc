#include "storage/batch_scanner.h"

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "protocol/legacy_batch.h"

namespace moldau::storage {
namespace {
constexpr uint64_t header_block = 4096;          // one entry of an index away, by default
constexpr uint64_t whole_block = 256 * 1024;
constexpr int32_t smallest_length = 14;          // of any format that Kafka ever had
}  // namespace

BatchScanner::BatchScanner(runtime::FilePtr file, uint64_t position, uint64_t end, ScanDepth depth)
    : file_(std::move(file)), position_(position), end_(end), depth_(depth) {}

ScanStep BatchScanner::next() {
  const uint64_t left = end_ > position_ ? end_ - position_ : 0;
  if (left < protocol::batch_up_to_magic_bytes) return ScanStep::end;
  const uint64_t head = std::min<uint64_t>(left, protocol::record_batch_header_bytes);
  if (!has(position_, head)) {
    wanted_bytes_ = head;
    return ScanStep::need_bytes;
  }
  const std::byte* at = buffer_.data() + (position_ - buffer_position_);
  const auto length = load_be<int32_t>(at + 8);
  if (length < smallest_length) {
    damage_ = fmt::format("a batch of length {} at position {}", length, position_);
    return ScanStep::damaged;
  }
  const uint64_t size = uint64_t{protocol::batch_overhead_bytes} + static_cast<uint32_t>(length);
  if (size > left) return ScanStep::end;
  const auto magic = load_be<int8_t>(at + 16);
  if (magic > newest_magic && magic <= newest_credible_magic) {
    newer_ = {.position = position_, .offset = Offset(load_be<int64_t>(at)), .magic = magic};
    damage_ = fmt::format("a batch at position {} of {}", position_, about_newer_magic(magic));
    return ScanStep::damaged;
  }
  if (magic < 0 || magic > newest_magic || (magic == newest_magic && size < protocol::record_batch_header_bytes)) {
    damage_ = fmt::format("magic {} and length {} at position {}", magic, length, position_);
    return ScanStep::damaged;
  }
  if (depth_ == ScanDepth::whole_batches && !has(position_, size)) {
    wanted_bytes_ = size;
    return ScanStep::need_bytes;
  }
  header_ = protocol::read_header_of_any_magic(ByteView(at, head));
  batch_position_ = position_;
  position_ += size;
  return ScanStep::batch;
}

runtime::task<log_result<>> BatchScanner::fill() {
  const uint64_t block = depth_ == ScanDepth::headers ? header_block : whole_block;
  const uint64_t size = std::min(end_ - position_, std::max(wanted_bytes_, block));
  buffer_.resize(size);
  buffer_position_ = position_;
  MOLDAU_CO_TRY(const size_t got, co_await file_->read_at(position_, buffer_));
  buffer_.resize(got);
  if (got < wanted_bytes_) co_return fail(Error(runtime::IoError{EIO, "read", file_->path()}));
  co_return log_result<>{};
}

ByteView BatchScanner::bytes() const {
  MOLDAU_ASSERT(depth_ == ScanDepth::whole_batches && has(batch_position_, header_.size_bytes()));
  return ByteView(buffer_).subspan(batch_position_ - buffer_position_, header_.size_bytes());
}

}  // namespace moldau::storage
