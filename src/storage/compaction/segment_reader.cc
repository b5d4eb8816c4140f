#include "storage/compaction/segment_reader.h"

#include <algorithm>
#include <cerrno>

#include "protocol/legacy_batch.h"

namespace moldau::storage {

using protocol::ErrorCode;

SegmentReader::SegmentReader(runtime::FilePtr file, uint64_t position, uint64_t end, uint32_t block_bytes)
    : file_(std::move(file)), position_(position), end_(end), block_bytes_(std::max(block_bytes, uint32_t{4096})) {}

log_result<ByteView> SegmentReader::next() {
  if (position_ >= end_) return ByteView{};
  uint64_t wanted = std::min<uint64_t>(block_bytes_, end_ - position_);
  while (true) {
    block_.resize(wanted);
    MOLDAU_TRY(const size_t got, file_->read_waiting(position_, block_));
    if (got < wanted) return fail(Error(runtime::IoError{EIO, "read", file_->path()}));
    // How far whole batches reach; how long the first one is, if it is longer than the block.
    size_t whole = 0;
    uint64_t first_bytes = protocol::batch_up_to_magic_bytes;
    while (block_.size() - whole >= protocol::batch_overhead_bytes) {
      const auto length = load_be<int32_t>(block_.data() + whole + 8);
      if (length < 0)
        return fail(Error(ErrorCode::corrupt_message,
                          fmt::format("a batch of length {} at position {} of {}", length, position_ + whole, file_->path())));
      const uint64_t size = uint64_t{protocol::batch_overhead_bytes} + static_cast<uint32_t>(length);
      if (whole == 0) first_bytes = size;
      if (size > block_.size() - whole) break;
      whole += size;
    }
    if (whole > 0) {
      position_ += whole;
      return ByteView(block_).first(whole);
    }
    if (first_bytes > end_ - position_)
      return fail(Error(ErrorCode::corrupt_message,
                        fmt::format("the batch at position {} of {} is cut off", position_, file_->path())));
    wanted = std::max(first_bytes, wanted);
  }
}

log_result<std::optional<ByteView>> SegmentReader::batch_at(ByteView block, size_t at) {
  const auto corrupt = [&](std::string_view what) {
    return fail(Error(ErrorCode::corrupt_message,
                      fmt::format("{} at position {} of {}", what, position_ - block.size() + at, file_->path())));
  };
  protocol::BatchCursor cursor(block.subspan(at));
  const auto next = cursor.next();
  if (!next) return corrupt(next.error().what);
  if (!*next) return std::optional<ByteView>{};
  const ByteView bytes = (*next)->bytes;
  const protocol::RecordBatchHeader header = protocol::read_header_of_any_magic(bytes);
  if (header.base_offset < next_offset_ || header.last_offset_delta < 0 || header.last_offset() < header.base_offset)
    return corrupt(fmt::format("offsets {} to {} where {} is next", header.base_offset, header.last_offset(), next_offset_));
  if (!protocol::is_crc_right_in_any_magic(bytes))
    return corrupt(fmt::format("a wrong checksum in the batch of offset {}", header.base_offset));
  next_offset_ = header.next_offset();
  return bytes;
}

}  // namespace moldau::storage
