// snappy, in the stream format of xerial's snappy-java: a header of 16 bytes (82 'SNAPPY' 00, version, oldest
// compatible version), then chunks of a four-byte length and a snappy block. Bytes without the header are one
// bare block.
#include <snappy.h>

#include <algorithm>
#include <array>

#include "protocol/codecs.h"

namespace moldau::protocol {

namespace {

constexpr std::array<unsigned char, 8> magic = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr size_t stream_header_bytes = 16;
constexpr int32_t chunk_max_bytes = 512 << 20;
constexpr size_t block_bytes = 32 * 1024;  // of uncompressed data in a chunk that is written
// No snappy element of n bytes stands for more than this many times n.
constexpr size_t ratio_max = 22;

bool begins_stream(ByteView bytes) {
  return bytes.size() >= stream_header_bytes && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

class Snappy : public Decompressor {
 public:
  explicit Snappy(ByteView compressed) : rest_(compressed) {}

  result<size_t, CompressionError> read(MutableByteView to) override {
    while (given_ == block_.size()) {
      MOLDAU_TRY(const bool is_there, next_block());
      if (!is_there) return 0;
    }
    const size_t count = std::min(to.size(), block_.size() - given_);
    std::copy_n(block_.begin() + static_cast<ptrdiff_t>(given_), count, to.begin());
    given_ += count;
    return count;
  }

 private:
  result<bool, CompressionError> next_block() {
    if (error_ != nullptr) return fail(CompressionError{error_});
    if (!is_begun_) {
      is_begun_ = true;
      if (rest_.empty()) return broken("no snappy data at all");
      if (!begins_stream(rest_)) return uncompress(rest_.size());
    }
    while (begins_stream(rest_)) rest_ = rest_.subspan(stream_header_bytes);
    if (rest_.size() < sizeof(int32_t)) return false;
    const auto length = load_be<int32_t>(rest_.data());
    rest_ = rest_.subspan(sizeof length);
    if (length < 0 || length > chunk_max_bytes) return broken("a snappy chunk has an impossible length");
    if (static_cast<size_t>(length) > rest_.size()) return broken("the snappy stream ends inside a chunk");
    return uncompress(static_cast<size_t>(length));
  }

  result<bool, CompressionError> uncompress(size_t length) {
    const auto* from = reinterpret_cast<const char*>(rest_.data());
    size_t uncompressed = 0;
    if (!snappy::GetUncompressedLength(from, length, &uncompressed) || uncompressed > length * ratio_max)
      return broken("a snappy block states an impossible size");
    block_.resize(uncompressed);
    given_ = 0;
    if (!snappy::RawUncompress(from, length, reinterpret_cast<char*>(block_.data())))
      return broken("the bytes are not a snappy block");
    rest_ = rest_.subspan(length);
    return true;
  }

  result<bool, CompressionError> broken(const char* what) {
    error_ = what;
    block_.clear();
    given_ = 0;
    return fail(CompressionError{what});
  }

  ByteView rest_;
  Bytes block_;
  size_t given_ = 0;  // of block_
  bool is_begun_ = false;
  const char* error_ = nullptr;
};

}  // namespace

std::unique_ptr<Decompressor> open_snappy(ByteView compressed) {
  return std::make_unique<Snappy>(compressed);
}

Bytes compress_snappy(ByteView bytes) {
  Bytes out(stream_header_bytes);
  std::memcpy(out.data(), magic.data(), magic.size());
  store_be<int32_t>(out.data() + 8, 1);
  store_be<int32_t>(out.data() + 12, 1);
  for (size_t at = 0; at < bytes.size(); at += block_bytes) {
    const ByteView block = bytes.subspan(at, std::min(block_bytes, bytes.size() - at));
    const size_t chunk = out.size();
    out.resize(chunk + sizeof(int32_t) + snappy::MaxCompressedLength(block.size()));
    size_t length = 0;
    snappy::RawCompress(reinterpret_cast<const char*>(block.data()), block.size(),
                        reinterpret_cast<char*>(out.data() + chunk + sizeof(int32_t)), &length);
    store_be(out.data() + chunk, static_cast<int32_t>(length));
    out.resize(chunk + sizeof(int32_t) + length);
  }
  return out;
}

}  // namespace moldau::protocol
