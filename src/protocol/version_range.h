// The versions of a message, both ends included.
#pragma once

#include <cstdint>

namespace moldau::protocol {

struct VersionRange {
  int16_t min = 0;
  int16_t max = -1;

  [[nodiscard]] constexpr bool contains(int16_t version) const { return min <= version && version <= max; }
  [[nodiscard]] constexpr bool is_empty() const { return max < min; }
  friend constexpr bool operator==(VersionRange, VersionRange) = default;
};

}  // namespace moldau::protocol
