// TrustedClock: the time by which things grow old and are deleted.
//
// It is the wall clock as long as that agrees with the time which the machine has been up (sleep included). If the wall
// clock runs ahead of that by more than a bound, it has jumped: then this clock goes on as if it had not, so that nothing
// is deleted for its age but what did grow so old, until someone confirms the jump or the wall clock comes back. One that
// was put back is followed: it makes everything younger. Owned by the broker; reading is for every shard, the rest for one.
// docs/internals/clocks.md.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/environment.h"

namespace moldau::runtime {

class TrustedClock {
 public:
  // Trusts the wall clock as it is now.
  explicit TrustedClock(Environment& environment);

  [[nodiscard]] int64_t now_ms() const;
  // By how much the wall clock is held not to be true; 0 while it is trusted.
  [[nodiscard]] int64_t ahead_ms() const;

  // `wall_ms` was the time when the machine had been up for `uptime_ms`.
  void trust(int64_t wall_ms, int64_t uptime_ms) { offset_ms_.store(wall_ms - uptime_ms, std::memory_order_relaxed); }
  // What the machine's clocks would say, had nothing jumped: for trust() after a restart.
  [[nodiscard]] int64_t steady_ms() const { return environment_.uptime_ms() + offset_ms_.load(std::memory_order_relaxed); }
  // A wall clock that is ahead by no more is believed. Negative: whatever it says.
  void set_bound_ms(int64_t bound_ms) { bound_ms_.store(bound_ms, std::memory_order_relaxed); }
  [[nodiscard]] int64_t bound_ms() const { return bound_ms_.load(std::memory_order_relaxed); }
  // Takes the wall clock as it is, if it is believed, so that small corrections do not add up. To be called now and then.
  void follow();

 private:
  Environment& environment_;
  std::atomic<int64_t> offset_ms_;
  std::atomic<int64_t> bound_ms_{3'600'000};
};

}  // namespace moldau::runtime
