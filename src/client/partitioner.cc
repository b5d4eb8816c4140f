#include "client/partitioner.h"

namespace moldau::client {

int32_t murmur2(ByteView data) {
  constexpr uint32_t multiplier = 0x5bd1e995;
  const auto byte = [&data](size_t i) { return static_cast<uint32_t>(std::to_integer<uint8_t>(data[i])); };
  uint32_t hash = 0x9747b28cU ^ static_cast<uint32_t>(data.size());
  size_t at = 0;
  for (; at + 4 <= data.size(); at += 4) {
    uint32_t word = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    word *= multiplier;
    word ^= word >> 24;
    word *= multiplier;
    hash = (hash * multiplier) ^ word;
  }
  if (const size_t left = data.size() - at; left > 0) {
    for (size_t i = left; i-- > 0;) hash ^= byte(at + i) << (8 * i);
    hash *= multiplier;
  }
  hash ^= hash >> 13;
  hash *= multiplier;
  hash ^= hash >> 15;
  return static_cast<int32_t>(hash);
}

}  // namespace moldau::client
