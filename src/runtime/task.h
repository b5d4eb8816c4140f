// task<T>: the one kind of coroutine in Moldau. See docs/internals/tasks.md for the whole contract.
//
// - Lazy: nothing runs until it is awaited (or handed to a Scope). Move-only; awaited at most once.
// - Owned: whoever awaits a task owns its frame; a frame is destroyed only after it has finished. A task that was
//   started is never destroyed half-way: cancellation is cooperative (close the connection, cancel the timer, set the
//   flag) and ends in an ordinary return.
// - Bound to the shard that runs it. Only `Shard::enter` and `call_on` move one to another shard.
// - No exceptions: one that reaches the edge of a task ends the process.
// - A suspension may change anything that is not a local value: check again what was true before it.
//
// A function that already has its answer returns `ready(value)`: such a task has no frame and never suspends, so an
// operation that is usually immediate (a write to the page cache) costs nothing for being awaitable.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "runtime/frame_memory.h"

namespace moldau::runtime {

template <class T = void>
class task;

namespace internal {

struct PromiseBase {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  std::coroutine_handle<> continuation = std::noop_coroutine();

  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
      return finished.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { MOLDAU_UNREACHABLE("an exception reached the edge of a task"); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() noexcept {}
};

struct Nothing {};

}  // namespace internal

template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = internal::Promise<T>;
  using value_type = T;
  using Handle = std::coroutine_handle<promise_type>;
  using Stored = std::conditional_t<std::is_void_v<T>, internal::Nothing, T>;

  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})), value_(std::move(other.value_)) {
    other.value_.reset();
  }
  task& operator=(task&&) = delete;
  ~task() {
    if (handle_) {
      MOLDAU_ASSERT_MSG(!started_ || handle_.done(), "a task was destroyed while it was suspended");
      handle_.destroy();
    }
  }

  // A task that is finished already.
  [[nodiscard]] static task finished(Stored value) { return task(std::optional<Stored>(std::move(value))); }

  auto operator co_await() && {
    struct Awaiter {
      task& self;
      [[nodiscard]] bool await_ready() const noexcept { return self.value_.has_value(); }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        MOLDAU_ASSERT_MSG(self.handle_ && !self.started_, "a task is awaited once");
        self.started_ = true;
        self.handle_.promise().continuation = caller;
        return self.handle_;
      }
      T await_resume() {
        if constexpr (std::is_void_v<T>) {
          return;
        } else {
          if (self.value_.has_value()) return std::move(*self.value_);
          return self.handle_.promise().take();
        }
      }
    };
    return Awaiter{*this};
  }

 private:
  friend promise_type;
  explicit task(Handle handle) : handle_(handle) {}
  explicit task(std::optional<Stored> value) : value_(std::move(value)) {}

  Handle handle_;
  std::optional<Stored> value_;
  bool started_ = false;
};

template <class T>
task<T> internal::Promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline task<void> internal::Promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// `return ready(value);` from a function that returns task<T> and is no coroutine.
template <class T>
[[nodiscard]] task<std::decay_t<T>> ready(T&& value) {
  return task<std::decay_t<T>>::finished(std::forward<T>(value));
}
[[nodiscard]] inline task<void> ready() { return task<void>::finished({}); }

}  // namespace moldau::runtime
