// Scope: the owner of background tasks. `spawn` starts one now; `join` waits for all of them.
//
// For whatever outlives the function that started it (a connection's reader, a retention loop). The owner first tells
// its tasks to end (closes the connection, sets stopping), then awaits join(); destroying a scope with running tasks is
// a programmer's error. One shard only.
#pragma once

#include "runtime/signal.h"
#include "runtime/task.h"

namespace moldau::runtime {

class Scope {
 public:
  Scope() = default;
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { MOLDAU_ASSERT_MSG(running_ == 0, "a scope was destroyed before its tasks ended"); }

  // Starts `work` at once, in the caller's turn, up to its first suspension.
  void spawn(task<void> work) {
    ++running_;
    run(*this, std::move(work));
  }

  [[nodiscard]] int running() const { return running_; }

  // Returns once no task runs. Tasks may be spawned while it waits; they are waited for too.
  [[nodiscard]] task<void> join() {
    while (running_ > 0) co_await finished_.wait();
  }

 private:
  // A coroutine that owns itself: its frame goes when it ends.
  struct Detached {
    struct promise_type {
      Detached get_return_object() noexcept { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      [[noreturn]] void unhandled_exception() noexcept { MOLDAU_UNREACHABLE("an exception reached the edge of a task"); }
    };
  };
  static Detached run(Scope& scope, task<void> work) {
    { task<void> owned = std::move(work); co_await std::move(owned); }
    if (--scope.running_ == 0) scope.finished_.notify_all();
  }

  int running_ = 0;
  Signal finished_;
};

}  // namespace moldau::runtime
