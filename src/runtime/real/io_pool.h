// IoPool: a few threads for what would make a shard wait: cold reads, flushes, name look-ups, heavy computation.
//
// `co_await on_io_thread(pool, lane, f)` runs f on one of them and continues on the caller's shard with its value. f
// lives in the caller's frame and may use what the caller holds. Flushes have a lane of their own that leaves at least
// one thread to the others, so that a slow disk's fsync does not keep reads waiting. Threads start when first needed.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "runtime/shard.h"

namespace moldau::runtime::real {

enum class Lane : uint8_t { quick, flush };

class IoPool {
 public:
  explicit IoPool(int threads);
  ~IoPool();

  struct Work {
    void (*run)(Work&) = nullptr;
    Work* next = nullptr;
  };
  // `work` stays where it is until its run has been called, on one of the pool's threads.
  void submit(Work& work, Lane lane);
  // Finishes what was submitted and ends the threads.
  void stop();

 private:
  struct Queue {
    Work* first = nullptr;
    Work* last = nullptr;
    void push(Work& work);
    Work* pop();
  };
  void serve();

  const int threads_limit_;
  std::mutex mutex_;
  std::condition_variable ready_;
  Queue quick_;
  Queue flush_;
  int queued_ = 0;  // in both
  int flushing_ = 0;
  int idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

template <class F>
auto on_io_thread(IoPool& pool, Lane lane, F f) {
  using T = std::invoke_result_t<F&>;
  using Stored = std::conditional_t<std::is_void_v<T>, char, std::optional<T>>;
  struct Awaiter : IoPool::Work {
    IoPool& pool;
    Lane lane;
    F f;
    Stored value{};
    Shard* home = nullptr;
    std::coroutine_handle<> caller;

    Awaiter(IoPool& p, Lane l, F&& function) : pool(p), lane(l), f(std::move(function)) {}
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
      caller = waiting;
      home = &Shard::current();
      run = [](IoPool::Work& work) {
        auto& self = static_cast<Awaiter&>(work);
        if constexpr (std::is_void_v<T>)
          self.f();
        else
          self.value.emplace(self.f());
        // From the post on, the frame that holds this may be gone.
        self.home->post([resumed = self.caller] { resumed.resume(); });
      };
      pool.submit(*this, lane);
    }
    T await_resume() {
      if constexpr (!std::is_void_v<T>) return std::move(*value);
    }
  };
  return Awaiter(pool, lane, std::move(f));
}

}  // namespace moldau::runtime::real
