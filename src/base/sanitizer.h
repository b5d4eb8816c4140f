// For tests whose number of rounds is a matter of taste: a sanitizer's build runs ten times slower, and finds what it finds in the
// first rounds.
#pragma once

#include <cstdint>

namespace moldau {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool has_sanitizer = true;
#else
inline constexpr bool has_sanitizer = false;
#endif

// `count` rounds, a tenth of them with a sanitizer.
constexpr uint64_t rounds_for_test(uint64_t count) { return has_sanitizer ? (count + 9) / 10 : count; }

}  // namespace moldau
