// Bytes: owned, viewed, and read as text. A ByteView never owns; who holds the bytes is said where a view is stored.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moldau {

using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;
using Bytes = std::vector<std::byte>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline Bytes to_bytes(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }
[[nodiscard]] inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
[[nodiscard]] inline bool equal(ByteView a, ByteView b) { return as_text(a) == as_text(b); }

// Big-endian integers at a place that the caller knows to be long enough.
template <class Integer>
[[nodiscard]] inline Integer load_be(const std::byte* from) {
  Integer value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof value > 1 && std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}
template <class Integer>
inline void store_be(std::byte* to, Integer value) {
  if constexpr (sizeof value > 1 && std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

// Lower-case hexadecimal, for messages and tests. from_hex asserts on anything that is not hexadecimal.
[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] Bytes from_hex(std::string_view text);

}  // namespace moldau
