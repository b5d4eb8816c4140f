// The five codecs of a record batch, each with Kafka's framing: gzip, snappy in xerial's stream format, LZ4 frames, zstd.
//
// Reading streams: a decompressor gives as many bytes as are asked for and holds no more than a block, so that what a
// small hostile payload expands to is bounded by who reads. It takes and refuses what Kafka's readers do (see
// docs/internals/compression.md). Not thread-safe; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace moldau::protocol {

enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

// As in `compression.type`: none (which it also calls uncompressed), gzip, snappy, lz4, zstd.
[[nodiscard]] std::string_view codec_name(Codec codec);
[[nodiscard]] std::optional<Codec> parse_codec(std::string_view name);
// Null for 5, 6 and 7, which attributes can hold and Kafka does not know.
[[nodiscard]] std::optional<Codec> codec_of_attributes(int16_t attributes);

struct CompressionError {
  std::string_view what;  // what is wrong with the compressed bytes; static text
};

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  // Fills some of `to`, which is not empty, and says how much; 0 at the end of the data. After an error, only the error
  // again.
  [[nodiscard]] virtual result<size_t, CompressionError> read(MutableByteView to) = 0;
};

// `compressed` must outlive it. Nothing is read before the first read().
[[nodiscard]] std::unique_ptr<Decompressor> open_decompressor(Codec codec, ByteView compressed);

// All of it; an error when it is more than `max_bytes`.
[[nodiscard]] result<Bytes, CompressionError> decompress(Codec codec, ByteView compressed, size_t max_bytes);

// `level` as in compression.gzip.level, .lz4.level and .zstd.level; null for Kafka's default (-1, 9, 3).
[[nodiscard]] Bytes compress(Codec codec, ByteView bytes, std::optional<int> level = std::nullopt);

}  // namespace moldau::protocol
