#include "runtime/real/io_pool.h"

#include <algorithm>

namespace moldau::runtime::real {

IoPool::IoPool(int threads) : threads_limit_(std::max(threads, 1)) {}

IoPool::~IoPool() { stop(); }

void IoPool::Queue::push(Work& work) {
  work.next = nullptr;
  (last != nullptr ? last->next : first) = &work;
  last = &work;
}

IoPool::Work* IoPool::Queue::pop() {
  Work* work = first;
  first = work->next;
  if (first == nullptr) last = nullptr;
  return work;
}

void IoPool::submit(Work& work, Lane lane) {
  {
    const std::lock_guard lock(mutex_);
    MOLDAU_ASSERT_MSG(!stopping_, "work for the I/O threads after the main task has ended");
    (lane == Lane::flush ? flush_ : quick_).push(work);
    // A thread that was woken for earlier work still counts as idle until it runs.
    if (++queued_ > idle_ && static_cast<int>(threads_.size()) < threads_limit_) threads_.emplace_back([this] { serve(); });
    if (idle_ == 0) return;
  }
  ready_.notify_one();  // without the lock, or the thread that wakes would wait for it
}

void IoPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ready_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void IoPool::serve() {
  const int flushing_limit = std::max(threads_limit_ - 1, 1);
  std::unique_lock lock(mutex_);
  while (true) {
    if (quick_.first != nullptr) {
      Work* work = quick_.pop();
      --queued_;
      lock.unlock();
      work->run(*work);
      lock.lock();
    } else if (flush_.first != nullptr && flushing_ < flushing_limit) {
      Work* work = flush_.pop();
      --queued_;
      ++flushing_;
      lock.unlock();
      work->run(*work);
      lock.lock();
      --flushing_;
    } else if (stopping_) {
      return;  // flushes that are left, if any, are taken by the threads that are flushing now
    } else {
      ++idle_;
      ready_.wait(lock);
      --idle_;
    }
  }
}

}  // namespace moldau::runtime::real
