#include "runtime/signal.h"

namespace moldau::runtime {

void Signal::Waiter::await_suspend(std::coroutine_handle<> caller) {
  caller_ = caller;
  previous_ = signal_.last_;
  (signal_.last_ != nullptr ? signal_.last_->next_ : signal_.first_) = this;
  signal_.last_ = this;
  if (deadline_us_ == no_deadline) return;
  timer_ = Shard::current().call_at(deadline_us_, [this] {
    timer_ = no_timer;
    signal_.remove(*this);
    caller_.resume();
  });
}

void Signal::remove(Waiter& waiter) {
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : first_) = waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : last_) = waiter.previous_;
  waiter.previous_ = waiter.next_ = nullptr;
}

void Signal::notify_one() {
  if (first_ == nullptr) return;
  Waiter& waiter = *first_;
  remove(waiter);
  waiter.notified_ = true;
  Shard& shard = Shard::current();
  if (waiter.timer_ != no_timer) shard.cancel(std::exchange(waiter.timer_, no_timer));
  shard.resume_soon(waiter.caller_);
}

void Signal::notify_all() {
  while (first_ != nullptr) notify_one();
}

task<Mutex::Held> Mutex::lock_later() {
  co_await released_.wait();
  MOLDAU_ASSERT(locked_);
  co_return Held(this);
}

void Mutex::unlock() {
  MOLDAU_ASSERT(locked_);
  if (released_.has_waiters())
    released_.notify_one();
  else
    locked_ = false;
}

}  // namespace moldau::runtime
