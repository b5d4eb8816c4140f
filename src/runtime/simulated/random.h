// The dice of a simulated world: one stream of numbers from a seed, the same on every machine and build.
#pragma once

#include <bit>
#include <cstdint>

#include "base/assert.h"

namespace moldau::runtime::simulated {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) word = mix(seed += 0x9E3779B97F4A7C15ULL);
  }

  // xoshiro256** by Blackman and Vigna.
  uint64_t next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // Uniform in [0, bound).
  uint64_t below(uint64_t bound) {
    MOLDAU_ASSERT(bound > 0);
    return next() % bound;
  }
  // Uniform in [from, to].
  int64_t between(int64_t from, int64_t to) { return from + static_cast<int64_t>(below(static_cast<uint64_t>(to - from) + 1)); }
  bool chance(double probability) {
    return probability > 0 && static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }

  // Spreads the bits of a number over all 64 (splitmix64).
  static uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
  }

 private:
  uint64_t state_[4];
};

}  // namespace moldau::runtime::simulated
