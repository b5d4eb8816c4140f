#include "broker/io_throttle.h"

#include <algorithm>

namespace moldau::broker {

int64_t IoThrottle::take(uint64_t bytes, int64_t now_us) {
  constexpr double no_limit = 1e15;
  constexpr double longest_us = 60e6;  // for one take, however low the rate is set
  const double rate = bytes_per_second_.load(std::memory_order_relaxed);
  if (!(rate > 0) || rate > no_limit) return now_us;
  const auto cost_us = static_cast<int64_t>(std::min(static_cast<double>(bytes) * 1e6 / rate, longest_us));
  int64_t before_us = taken_until_us_.load(std::memory_order_relaxed);
  int64_t until_us = 0;
  do {
    until_us = std::max(before_us, now_us) + cost_us;
  } while (!taken_until_us_.compare_exchange_weak(before_us, until_us, std::memory_order_relaxed));
  return until_us;
}

}  // namespace moldau::broker
