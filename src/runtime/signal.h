// Signal: tasks of one shard wait until another says that something changed.
//
// There is no memory of past notifications: whoever waits checks its condition in a loop. Waiters resume in order, in
// a later turn of the run queue, never inside notify.
#pragma once

#include <coroutine>
#include <cstdint>

#include "runtime/shard.h"

namespace moldau::runtime {

class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() { MOLDAU_ASSERT_MSG(first_ == nullptr, "a signal was destroyed while a task waited on it"); }

  void notify_all();
  void notify_one();
  [[nodiscard]] bool has_waiters() const { return first_ != nullptr; }

  // `co_await signal.wait()`; `co_await signal.wait_until(deadline_us)` gives false when the deadline came first.
  [[nodiscard]] auto wait() { return Waiter(*this, no_deadline); }
  [[nodiscard]] auto wait_until(int64_t deadline_us) { return Waiter(*this, deadline_us); }

 private:
  static constexpr int64_t no_deadline = INT64_MAX;

  class Waiter {
   public:
    Waiter(Signal& signal, int64_t deadline_us) : signal_(signal), deadline_us_(deadline_us) {}
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> caller);
    bool await_resume() const { return notified_; }

   private:
    friend Signal;
    Signal& signal_;
    int64_t deadline_us_;
    std::coroutine_handle<> caller_;
    TimerId timer_ = no_timer;
    bool notified_ = false;
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
  };

  void remove(Waiter& waiter);

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

// Mutex: one task at a time, in the order of asking, across suspensions. `auto held = co_await mutex.lock();`
class Mutex {
 public:
  class [[nodiscard]] Held {
   public:
    explicit Held(Mutex* mutex) : mutex_(mutex) {}
    Held(Held&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (mutex_ != nullptr) mutex_->unlock();
    }

   private:
    Mutex* mutex_;
  };

  [[nodiscard]] bool is_locked() const { return locked_; }
  // Suspends only if somebody holds it.
  [[nodiscard]] task<Held> lock() {
    if (!locked_) {
      locked_ = true;
      return ready(Held(this));
    }
    return lock_later();
  }

 private:
  task<Held> lock_later();
  void unlock();

  bool locked_ = false;  // stays true while it passes from a holder to the next waiter
  Signal released_;
};

}  // namespace moldau::runtime
