#include "runtime/real/event_shard.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/log.h"

namespace moldau::runtime::real {

namespace {

constexpr int64_t long_turn_us = 10'000;
constexpr int64_t complaint_interval_us = 1'000'000;
constexpr int batches_between_polls = 8;
constexpr int events_at_once = 128;

// Waits for events until deadline_us (INT64_MAX: for ever; not after now_us: not at all).
int wait_for_events(int epoll, epoll_event* events, int64_t deadline_us, int64_t now_us) {
  if (deadline_us <= now_us) return epoll_wait(epoll, events, events_at_once, 0);
  if (deadline_us == INT64_MAX) return epoll_wait(epoll, events, events_at_once, -1);
  const int64_t wait_us = deadline_us - now_us;
  static std::atomic<bool> has_pwait2{true};
  if (has_pwait2.load(std::memory_order_relaxed)) {
    const timespec timeout{.tv_sec = wait_us / 1'000'000, .tv_nsec = wait_us % 1'000'000 * 1000};
    const int count = epoll_pwait2(epoll, events, events_at_once, &timeout, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    has_pwait2 = false;  // kernels before 5.11, or a sandbox that does not know it
  }
  return epoll_wait(epoll, events, events_at_once, static_cast<int>(std::min<int64_t>((wait_us + 999) / 1000, 1 << 30)));
}

}  // namespace

int64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

EventShard::EventShard(int index)
    : Shard(index), epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), now_us_(monotonic_us()) {
  MOLDAU_ASSERT_MSG(epoll_.valid() && wake_.valid(), "the system gives no epoll or eventfd descriptor");
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  MOLDAU_ASSERT(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

int64_t EventShard::read_clock_us() const { return monotonic_us(); }

void EventShard::post(Job job) {
  if (current_or_null() == this) {
    ready_.push_back({nullptr, std::move(job)});
    return;
  }
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(job));
    has_posted_.store(true, std::memory_order_seq_cst);
  }
  // The shard says that it sleeps, then looks for posts; we post, then look whether it sleeps. One of us sees the other.
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false)) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }
}

void EventShard::stop() {
  post([this] { stopping_ = true; });
}

bool EventShard::watch(int descriptor, uint32_t events, Pollable& pollable) {
  epoll_event event{.events = events | EPOLLET, .data = {.ptr = &pollable}};
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void EventShard::forget(int descriptor) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr); }

MutableByteView EventShard::scratch() {
  if (!scratch_) scratch_ = std::make_unique_for_overwrite<std::byte[]>(scratch_size_bytes);
  return {scratch_.get(), scratch_size_bytes};
}

void EventShard::run() {
  set_current(this);
  now_us_ = monotonic_us();
  while (true) {
    const int64_t started_us = now_us_;
    take_posted();
    run_timers();
    run_ready();
    check_turn(started_us);
    if (stopping_ && ready_.empty() && !has_posted_.load()) break;
    poll();
  }
  set_current(nullptr);
}

void EventShard::take_posted() {
  if (!has_posted_.load(std::memory_order_acquire)) return;
  {
    const std::lock_guard lock(posted_mutex_);
    taken_.swap(posted_);
    has_posted_.store(false, std::memory_order_relaxed);
  }
  for (Job& job : taken_) ready_.push_back({nullptr, std::move(job)});
  taken_.clear();
}

void EventShard::run_timers() {
  const uint64_t limit = timers_.next_sequence();
  while (Job job = timers_.take_due(now_us_, limit)) job();
}

void EventShard::run_ready() {
  for (int batch = 0; batch < batches_between_polls && !ready_.empty() && (batch == 0 || !is_turn_over(send_turn_us)); ++batch) {
    running_.swap(ready_);
    for (Ready& item : running_) {
      if (item.waiting) {
        item.waiting.resume();
      } else {
        item.job();
        item.job = nullptr;
      }
    }
    running_.clear();
  }
}

void EventShard::check_turn(int64_t started_us) {
  now_us_ = monotonic_us();
  const int64_t took_us = now_us_ - started_us;
  if (took_us < long_turn_us) [[likely]] return;
  ++long_turns_;
  if (now_us_ < next_complaint_us_) return;
  next_complaint_us_ = now_us_ + complaint_interval_us;
  log_warning("a turn of shard {} took {} ms; {} turns so far took over {} ms", index(), took_us / 1000, long_turns_,
              long_turn_us / 1000);
}

void EventShard::poll() {
  epoll_event events[events_at_once];
  int64_t deadline_us = 0;
  if (ready_.empty()) {
    asleep_.store(true, std::memory_order_seq_cst);
    if (!has_posted_.load(std::memory_order_seq_cst)) deadline_us = timers_.next_deadline_us();
  }
  const int count = wait_for_events(epoll_.get(), events, deadline_us, now_us_);
  asleep_.store(false, std::memory_order_relaxed);
  MOLDAU_ASSERT(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.ptr == nullptr) {
      uint64_t posts = 0;
      [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &posts, sizeof posts);
    } else {
      static_cast<Pollable*>(events[i].data.ptr)->on_events(events[i].events);
    }
  }
  now_us_ = monotonic_us();
}

}  // namespace moldau::runtime::real
