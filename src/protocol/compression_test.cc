// Codecs with hostile bytes and small reads; what they take from Kafka is shown by the golden vectors.
#include "protocol/compression.h"

#include <gtest/gtest.h>

namespace moldau::protocol {
namespace {

constexpr Codec codecs[] = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

Bytes sample(size_t size) {
  Bytes bytes(size);
  uint32_t state = 1;
  for (size_t i = 0; i < size; ++i) {
    if (i % 50 < 10) state = state * 1664525 + 1013904223;
    bytes[i] = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

TEST(Compression, GivesBackWhatWentInWhateverTheSize) {
  for (const Codec codec : codecs)
    for (const size_t size :
         {size_t{1}, size_t{100}, size_t{32768}, size_t{65536}, size_t{65537}, size_t{1'000'000}}) {
      const Bytes bytes = sample(size);
      const auto back = decompress(codec, compress(codec, bytes), size);
      ASSERT_TRUE(back.has_value()) << codec_name(codec) << " " << size << ": " << back.error().what;
      EXPECT_EQ(*back, bytes) << codec_name(codec) << " " << size;
    }
}

TEST(Compression, ReadsInStepsOfAnySize) {
  const Bytes bytes = sample(100'000);
  for (const Codec codec : codecs) {
    const Bytes compressed = compress(codec, bytes);
    const auto source = open_decompressor(codec, compressed);
    Bytes back;
    std::byte step[7];
    while (true) {
      const auto got = source->read(step);
      ASSERT_TRUE(got.has_value());
      if (*got == 0) break;
      back.insert(back.end(), step, step + *got);
    }
    EXPECT_EQ(back, bytes) << codec_name(codec);
    EXPECT_EQ(*source->read(step), 0U) << "the end stays the end";
  }
}

TEST(Compression, EveryCutIsAnErrorThatStays) {
  const Bytes bytes = sample(3000);
  for (const Codec codec : {Codec::gzip, Codec::lz4, Codec::zstd}) {
    const Bytes compressed = compress(codec, bytes);
    for (size_t length = 1; length < compressed.size(); length += 13) {
      const auto source = open_decompressor(codec, ByteView(compressed).first(length));
      Bytes to(4096);
      auto got = source->read(to);
      while (got && *got > 0) got = source->read(to);
      EXPECT_FALSE(got.has_value()) << codec_name(codec) << " cut to " << length;
      EXPECT_FALSE(source->read(to).has_value());
    }
  }
}

TEST(Compression, StopsAtTheBound) {
  const Bytes zeros(10'000'000);
  for (const Codec codec : codecs) {
    const Bytes compressed = compress(codec, zeros);
    EXPECT_FALSE(decompress(codec, compressed, zeros.size() - 1).has_value()) << codec_name(codec);
    EXPECT_TRUE(decompress(codec, compressed, zeros.size()).has_value()) << codec_name(codec);
  }
}

TEST(Compression, ASnappyBlockMayNotStateMoreThanItCanHold) {
  // 1 GiB in the varint, and four bytes behind it.
  EXPECT_FALSE(decompress(Codec::snappy, from_hex("808080800400000000"), size_t{1} << 31).has_value());
}

TEST(Compression, NamesAreThoseOfTheSetting) {
  for (const Codec codec : codecs) EXPECT_EQ(parse_codec(codec_name(codec)), codec);
  EXPECT_EQ(parse_codec("uncompressed"), Codec::none);
  EXPECT_EQ(parse_codec("brotli"), std::nullopt);
  EXPECT_EQ(codec_of_attributes(5), std::nullopt);
  EXPECT_EQ(codec_of_attributes(0x58 | 4), Codec::zstd);
}

}  // namespace
}  // namespace moldau::protocol
