// EventShard: a shard on a thread of its own, around epoll.
//
// A turn: what other threads posted, the timers that are due, the jobs and coroutines that are ready, then epoll. It
// blocks in epoll until something happens: an idle shard uses no CPU. Descriptors are watched edge-triggered, once for
// their whole life. Events are noted before any job runs, so a job may close a descriptor whose event has just come.
// Operations that finish at once never give the turn back by themselves: what may do so again and again (a socket whose
// peer is fast) asks is_turn_over() and yields, so that one connection cannot keep the shard from all others.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"
#include "runtime/real/descriptor.h"
#include "runtime/shard.h"
#include "runtime/timer_heap.h"

namespace moldau::runtime::real {

// Something with a descriptor in a shard's epoll set.
class Pollable {
 public:
  virtual ~Pollable() = default;
  // EPOLL* bits. Runs no code of others: it notes the events and queues who waits for them.
  virtual void on_events(uint32_t events) = 0;
};

class EventShard final : public Shard {
 public:
  explicit EventShard(int index);

  void post(Job job) override;
  void resume_soon(std::coroutine_handle<> waiting) override { ready_.push_back({waiting, {}}); }
  [[nodiscard]] int64_t now_us() const override { return now_us_; }
  [[nodiscard]] int64_t read_clock_us() const override;
  TimerId call_at(int64_t deadline_us, Job job) override { return timers_.add(deadline_us, std::move(job)); }
  void cancel(TimerId timer) override { timers_.cancel(timer); }

  // Runs turns on the calling thread until stop() was called and nothing is ready any more.
  void run();
  // From any thread.
  void stop();

  // Adds a descriptor, edge-triggered; closing it (or forget) takes it out. False with errno when epoll refuses.
  [[nodiscard]] bool watch(int descriptor, uint32_t events, Pollable& pollable);
  void forget(int descriptor);

  // Whether this turn has used its share of time.
  [[nodiscard]] bool is_turn_over(int64_t share_us = turn_us) const { return read_clock_us() - now_us_ >= share_us; }
  static constexpr int64_t turn_us = 1000;
  // For long sends, which would go on for as long as the peer reads, and until new events are asked for: who comes meanwhile waits for
  // little more than this.
  static constexpr int64_t send_turn_us = 100;

  // Memory for the current turn only: never held across a suspension.
  static constexpr size_t scratch_size_bytes = 256 * 1024;
  [[nodiscard]] MutableByteView scratch();

 private:
  struct Ready {
    std::coroutine_handle<> waiting;  // or, if null:
    Job job;
  };

  void take_posted();
  void run_timers();
  void run_ready();
  void poll();
  void check_turn(int64_t started_us);

  Descriptor epoll_;
  Descriptor wake_;
  int64_t now_us_;
  bool stopping_ = false;
  TimerHeap timers_;
  std::vector<Ready> ready_;
  std::vector<Ready> running_;
  std::unique_ptr<std::byte[]> scratch_;

  // What other threads touch, on its own cache line.
  alignas(64) std::mutex posted_mutex_;
  std::vector<Job> posted_;  // guarded by posted_mutex_
  std::atomic<bool> has_posted_{false};
  std::atomic<bool> asleep_{false};
  alignas(64) std::vector<Job> taken_;

  int64_t next_complaint_us_ = 0;
  uint64_t long_turns_ = 0;
};

// CLOCK_MONOTONIC in microseconds.
[[nodiscard]] int64_t monotonic_us();

}  // namespace moldau::runtime::real
