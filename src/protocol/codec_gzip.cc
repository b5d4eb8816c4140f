// gzip (RFC 1952) by zlib. As Java's GZIPInputStream: members may follow one another, and bytes after the
// last one that do not begin another are ignored.
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "protocol/codecs.h"

namespace moldau::protocol {

namespace {

constexpr int gzip_window_bits = 15 + 16;

bool begins_member(ByteView bytes) {
  constexpr std::byte start[] = {std::byte{0x1f}, std::byte{0x8b}, std::byte{8}};
  return bytes.size() > std::size(start) && std::ranges::equal(bytes.first(std::size(start)), start);
}

class Gzip : public Decompressor {
 public:
  explicit Gzip(ByteView compressed) : rest_(compressed) {
    MOLDAU_ASSERT(inflateInit2(&stream_, gzip_window_bits) == Z_OK);
  }
  ~Gzip() override { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  result<size_t, CompressionError> read(MutableByteView to) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(to.size(), std::numeric_limits<uInt>::max()));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room && !is_finished_) {
      if (error_ != nullptr) return fail(CompressionError{error_});
      step();
    }
    return room - stream_.avail_out;
  }

 private:
  void step() {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));
    stream_.avail_in = static_cast<uInt>(std::min<size_t>(rest_.size(), std::numeric_limits<uInt>::max()));
    const uInt had = stream_.avail_in;
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    rest_ = rest_.subspan(had - stream_.avail_in);
    if (outcome == Z_STREAM_END) {
      is_finished_ = !begins_member(rest_);
      if (!is_finished_) inflateReset(&stream_);
    } else if (outcome != Z_OK) {
      error_ = outcome == Z_BUF_ERROR ? "the gzip stream ends too early" : "the bytes are not a gzip stream";
    }
  }

  ByteView rest_;
  z_stream stream_{};
  bool is_finished_ = false;
  const char* error_ = nullptr;
};

}  // namespace

std::unique_ptr<Decompressor> open_gzip(ByteView compressed) { return std::make_unique<Gzip>(compressed); }

Bytes compress_gzip(ByteView bytes, std::optional<int> level) {
  MOLDAU_ASSERT(bytes.size() <= std::numeric_limits<uInt>::max());
  z_stream stream{};
  MOLDAU_ASSERT(deflateInit2(&stream, level.value_or(Z_DEFAULT_COMPRESSION), Z_DEFLATED, gzip_window_bits, 8,
                             Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  MOLDAU_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace moldau::protocol
