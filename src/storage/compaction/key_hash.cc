#include "storage/compaction/key_hash.h"

#include <bit>

namespace moldau::storage {
namespace {

// The state of SipHash; `round` is the one of the paper (Aumasson and Bernstein, 2012).
struct SipState {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  [[nodiscard]] uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

uint64_t little_endian(const std::byte* from, size_t count) {
  uint64_t word = 0;
  if (count > 0) std::memcpy(&word, from, count);  // an empty key may have no address
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

}  // namespace

KeyHash KeyHasher::operator()(ByteView key) const {
  SipState state{key_0_ ^ 0x736f6d6570736575ULL, key_1_ ^ 0x646f72616e646f6dULL ^ 0xee,
                 key_0_ ^ 0x6c7967656e657261ULL, key_1_ ^ 0x7465646279746573ULL};
  const size_t whole = key.size() / 8 * 8;
  for (size_t at = 0; at < whole; at += 8) state.take(little_endian(key.data() + at, 8));
  state.take(little_endian(key.data() + whole, key.size() - whole) | (static_cast<uint64_t>(key.size()) << 56));
  state.v2 ^= 0xee;
  const uint64_t first = state.finish();
  state.v1 ^= 0xdd;
  return {first, state.finish()};
}

}  // namespace moldau::storage
