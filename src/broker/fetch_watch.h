// A fetch that waits for data, as the partitions see it: something to fire when there is more to read.
//
// Belongs to the shard of the fetch's connection; partitions on any shard hold it. It fires once; a fetch that parks
// again makes a new one.
#pragma once

#include <atomic>
#include <memory>

#include "runtime/signal.h"

namespace moldau::broker {

class FetchWatch : public std::enable_shared_from_this<FetchWatch> {
 public:
  explicit FetchWatch(runtime::Shard& home) : home_(home) {}

  // From any shard. Wakes the fetch, the first time.
  void fire() {
    if (over_.exchange(true, std::memory_order_acq_rel)) return;
    if (runtime::Shard::current_or_null() == &home_) return wake();
    home_.post([self = shared_from_this()] { self->wake(); });
  }
  // Nobody waits any more: partitions may forget it. From its home shard.
  void abandon() { over_.store(true, std::memory_order_release); }
  [[nodiscard]] bool is_over() const { return over_.load(std::memory_order_acquire); }

  // Returns when it has fired or the time has come. On its home shard.
  [[nodiscard]] runtime::task<void> wait_until(int64_t deadline_us) {
    if (!woken_) (void)co_await changed_.wait_until(deadline_us);
  }

 private:
  void wake() {
    woken_ = true;
    changed_.notify_all();
  }

  runtime::Shard& home_;
  std::atomic<bool> over_{false};
  bool woken_ = false;
  runtime::Signal changed_;
};

}  // namespace moldau::broker
