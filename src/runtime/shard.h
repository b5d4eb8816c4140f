// A shard: one thread (or one simulated thread) with a run queue and timers, sharing nothing mutable with the others.
//
// Everything here is called on the shard's own thread, but for `post` and `enter`, which any thread may call. Jobs and
// coroutines run in the order in which they became ready; a turn longer than 10 ms is logged as a fault.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>

#include "runtime/task.h"

namespace moldau::runtime {

using Job = std::move_only_function<void()>;

// Names a timer that has not fired yet; 0 names none.
enum class TimerId : uint64_t {};
inline constexpr TimerId no_timer{0};

class Shard {
 public:
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  virtual ~Shard() = default;

  // Counts from 0 within the node; the quorum's shard comes after all others.
  [[nodiscard]] int index() const { return index_; }

  // The shard on whose thread the caller runs. Asserts that there is one.
  [[nodiscard]] static Shard& current();
  [[nodiscard]] static Shard* current_or_null();

  // Runs `job` on this shard, after what is queued there now. From any thread.
  virtual void post(Job job) = 0;

  // Resumes a coroutine of this shard after what is queued now. On this shard's thread only.
  virtual void resume_soon(std::coroutine_handle<> waiting) = 0;

  // Monotonic microseconds since an arbitrary start, read once a turn.
  [[nodiscard]] virtual int64_t now_us() const = 0;

  // The same clock, read now: for measuring what happens within a turn.
  [[nodiscard]] virtual int64_t read_clock_us() const { return now_us(); }

  // Runs `job` on this shard once now_us() >= deadline_us. `cancel` is harmless on a timer that has fired.
  virtual TimerId call_at(int64_t deadline_us, Job job) = 0;
  virtual void cancel(TimerId timer) = 0;

  // `co_await shard.enter()` continues the calling coroutine on this shard.
  auto enter() {
    struct Awaiter {
      Shard& target;
      [[nodiscard]] bool await_ready() const { return Shard::current_or_null() == &target; }
      void await_suspend(std::coroutine_handle<> caller) {
        target.post([caller] { caller.resume(); });
      }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }

 protected:
  explicit Shard(int index) : index_(index) {}
  // Implementations set this while they run something of the shard.
  static void set_current(Shard* shard);

 private:
  int index_;
};

// Runs the task that `make` returns on `target` and continues on the caller's shard with its value. `make` is called
// on the target, and must hold or own what its task uses; it is no coroutine itself.
template <class Make>
auto call_on(Shard& target, Make make) -> task<typename std::invoke_result_t<Make&>::value_type> {
  using T = typename std::invoke_result_t<Make&>::value_type;
  Shard& home = Shard::current();
  co_await target.enter();
  if constexpr (std::is_void_v<T>) {
    co_await make();
    co_await home.enter();
  } else {
    T value = co_await make();
    co_await home.enter();
    co_return value;
  }
}

// Suspends the calling coroutine for `duration_ms` on its shard's clock.
[[nodiscard]] inline auto sleep_ms(int64_t duration_ms) {
  struct Awaiter {
    int64_t duration_ms;
    [[nodiscard]] bool await_ready() const { return duration_ms <= 0; }
    void await_suspend(std::coroutine_handle<> caller) const {
      Shard& shard = Shard::current();
      shard.call_at(shard.now_us() + duration_ms * 1000, [caller] { caller.resume(); });
    }
    void await_resume() const {}
  };
  return Awaiter{duration_ms};
}

// Lets everything else that is ready on this shard run first.
[[nodiscard]] inline auto yield() {
  struct Awaiter {
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> caller) const { Shard::current().resume_soon(caller); }
    void await_resume() const {}
  };
  return Awaiter{};
}

}  // namespace moldau::runtime
