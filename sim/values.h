// The values that simulated producers write: a number, and bytes that follow from it, so that a reader sees damage.
#pragma once

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "checker/history.h"
#include "runtime/simulated/random.h"

namespace moldau::sim {

inline constexpr Value damaged_bit = Value{1} << 63;

// A record's value of at least 8 bytes.
inline Bytes bytes_of(Value value, size_t size) {
  Bytes bytes(std::max<size_t>(size, 8));
  store_be(bytes.data(), value);
  uint64_t state = value;
  for (size_t i = 8; i < bytes.size(); ++i) {
    state = runtime::simulated::Random::mix(state + i);
    bytes[i] = static_cast<std::byte>(state);
  }
  return bytes;
}

// The number again; with damaged_bit, which no writer uses, if the bytes are not those of any value.
inline Value value_of(const std::optional<Bytes>& bytes) {
  if (!bytes || bytes->size() < 8) return damaged_bit;
  const auto value = load_be<Value>(bytes->data());
  return bytes_of(value, bytes->size()) == *bytes ? value : value | damaged_bit;
}

}  // namespace moldau::sim
