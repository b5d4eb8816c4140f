// IoThrottle: a rate that several shards share, as log.cleaner.io.max.bytes.per.second is.
//
// Whoever is about to read or write takes his bytes and is told until when to wait, behind all that were taken before. Any
// thread; no clock of its own. What was not used is not saved up.
#pragma once

#include <atomic>
#include <cstdint>

namespace moldau::broker {

class IoThrottle {
 public:
  // At or below 0, or beyond what a disk can do: no limit.
  void set_bytes_per_second(double rate) { bytes_per_second_.store(rate, std::memory_order_relaxed); }
  [[nodiscard]] double bytes_per_second() const { return bytes_per_second_.load(std::memory_order_relaxed); }

  // Gives the time at which the bytes may have been moved; now_us if there is no limit.
  [[nodiscard]] int64_t take(uint64_t bytes, int64_t now_us);

 private:
  std::atomic<double> bytes_per_second_{0};
  std::atomic<int64_t> taken_until_us_{0};
};

}  // namespace moldau::broker
