#include "protocol/decompressed_bytes.h"

#include <algorithm>

#include "base/assert.h"

namespace moldau::protocol {

namespace {

constexpr size_t window_first_bytes = 16 * 1024;

}  // namespace

DecompressedBytes::DecompressedBytes(Codec codec, ByteView compressed, size_t max_bytes)
    : decompressor_(open_decompressor(codec, compressed)), left_bytes_(max_bytes) {}

result<ByteView, BatchError> DecompressedBytes::peek(size_t count) {
  while (end_ - begin_ < count && !is_at_end_) MOLDAU_CHECK(read_more(count));
  return ByteView(window_).subspan(begin_, end_ - begin_);
}

void DecompressedBytes::consume(size_t count) {
  MOLDAU_ASSERT(count <= end_ - begin_);
  begin_ += count;
}

result<bool, BatchError> DecompressedBytes::skip(size_t count) {
  while (true) {
    const size_t here = std::min(count, end_ - begin_);
    begin_ += here;
    count -= here;
    if (count == 0) return true;
    if (is_at_end_) return false;
    MOLDAU_CHECK(read_more(1));
  }
}

result<bool, BatchError> DecompressedBytes::ends_here() {
  if (end_ > begin_) return false;
  if (is_at_end_) return true;
  std::byte lost{};
  auto got = decompressor_->read(MutableByteView(&lost, 1));
  if (!got) return fail(BatchError{BatchError::Reason::malformed_codec, std::string(got.error().what)});
  return *got == 0;
}

// The window grows to twice what it holds, never to what a length merely promises.
result<void, BatchError> DecompressedBytes::read_more(size_t wanted) {
  if (begin_ > 0) {
    std::copy(window_.begin() + static_cast<ptrdiff_t>(begin_),
              window_.begin() + static_cast<ptrdiff_t>(end_), window_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == window_.size())
    window_.resize(
        std::max(window_first_bytes, std::min(window_.size() * 2, std::max(wanted, window_first_bytes))));
  if (end_ == window_.size()) window_.resize(window_.size() * 2);

  auto got = decompressor_->read(MutableByteView(window_).subspan(end_));
  if (!got) return fail(BatchError{BatchError::Reason::malformed_codec, std::string(got.error().what)});
  if (*got > left_bytes_)
    return fail(BatchError{BatchError::Reason::too_large, "the batch decompresses to more than is allowed"});
  left_bytes_ -= *got;
  end_ += *got;
  is_at_end_ = *got == 0;
  return {};
}

}  // namespace moldau::protocol
