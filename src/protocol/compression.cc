#include "protocol/compression.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "protocol/codecs.h"

namespace moldau::protocol {

namespace {

constexpr std::array<std::string_view, 5> names = {"none", "gzip", "snappy", "lz4", "zstd"};

class Uncompressed : public Decompressor {
 public:
  explicit Uncompressed(ByteView bytes) : rest_(bytes) {}
  result<size_t, CompressionError> read(MutableByteView to) override {
    const size_t count = std::min(to.size(), rest_.size());
    std::copy_n(rest_.begin(), count, to.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteView rest_;
};

}  // namespace

std::string_view codec_name(Codec codec) { return names[static_cast<size_t>(codec)]; }

std::optional<Codec> parse_codec(std::string_view name) {
  if (name == "uncompressed") return Codec::none;
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Codec>(found - names.begin());
}

std::optional<Codec> codec_of_attributes(int16_t attributes) {
  const int code = attributes & 0x07;
  if (code > static_cast<int>(Codec::zstd)) return std::nullopt;
  return static_cast<Codec>(code);
}

std::unique_ptr<Decompressor> open_decompressor(Codec codec, ByteView compressed) {
  switch (codec) {
    case Codec::none:
      return std::make_unique<Uncompressed>(compressed);
    case Codec::gzip:
      return open_gzip(compressed);
    case Codec::snappy:
      return open_snappy(compressed);
    case Codec::lz4:
      return open_lz4(compressed);
    case Codec::zstd:
      return open_zstd(compressed);
  }
  MOLDAU_UNREACHABLE("a codec is one of five");
}

result<Bytes, CompressionError> decompress(Codec codec, ByteView compressed, size_t max_bytes) {
  const auto source = open_decompressor(codec, compressed);
  Bytes bytes(std::min(max_bytes, std::max<size_t>(compressed.size() * 4, 4096)));
  size_t size = 0;
  while (true) {
    if (size == bytes.size()) {
      if (size == max_bytes) break;
      bytes.resize(std::min(max_bytes, size * 2));
    }
    MOLDAU_TRY(const size_t got, source->read(MutableByteView(bytes).subspan(size)));
    if (got == 0) {
      bytes.resize(size);
      return bytes;
    }
    size += got;
  }
  std::byte beyond{};
  MOLDAU_TRY(const size_t got, source->read(MutableByteView(&beyond, 1)));
  if (got != 0) return fail(CompressionError{"decompressed beyond the limit"});
  return bytes;
}

Bytes compress(Codec codec, ByteView bytes, std::optional<int> level) {
  switch (codec) {
    case Codec::none:
      return to_bytes(bytes);
    case Codec::gzip:
      return compress_gzip(bytes, level);
    case Codec::snappy:
      return compress_snappy(bytes);
    case Codec::lz4:
      return compress_lz4(bytes, level);
    case Codec::zstd:
      return compress_zstd(bytes, level);
  }
  MOLDAU_UNREACHABLE("a codec is one of five");
}

}  // namespace moldau::protocol
