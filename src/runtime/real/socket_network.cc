#include "runtime/real/socket_network.h"

#include <sys/socket.h>

#include <cerrno>

#include "runtime/real/addresses.h"
#include "runtime/real/socket.h"

namespace moldau::runtime::real {

namespace {

// Waits until a connect under way has succeeded or failed, or until the deadline.
class Connecting final : private Pollable {
 public:
  explicit Connecting(EventShard& shard) : shard_(shard) {}
  [[nodiscard]] bool watch(int descriptor) { return shard_.watch(descriptor, EPOLLOUT, *this); }

  // False at the deadline.
  auto done(int64_t deadline_us) {
    struct Awaiter {
      Connecting& self;
      int64_t deadline_us;
      [[nodiscard]] bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> caller) const {
        self.caller_ = caller;
        self.timer_ = self.shard_.call_at(deadline_us, [connecting = &self] {
          connecting->timer_ = no_timer;
          std::exchange(connecting->caller_, {}).resume();
        });
      }
      [[nodiscard]] bool await_resume() const { return self.happened_; }
    };
    return Awaiter{*this, deadline_us};
  }

 private:
  void on_events(uint32_t) override {
    if (!caller_) return;
    happened_ = true;
    shard_.cancel(std::exchange(timer_, no_timer));
    shard_.resume_soon(std::exchange(caller_, {}));
  }

  EventShard& shard_;
  TimerId timer_ = no_timer;
  std::coroutine_handle<> caller_;
  bool happened_ = false;
};

// Connects one socket: 0 or an errno.
task<int> connect_one(EventShard& shard, const SocketAddress& address, int64_t deadline_us, Descriptor& descriptor) {
  descriptor = Descriptor(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.valid()) co_return errno;
  if (::connect(descriptor.get(), address.get(), address.size) == 0) co_return 0;
  if (errno != EINPROGRESS && errno != EINTR) co_return errno;
  Connecting connecting(shard);
  if (!connecting.watch(descriptor.get())) co_return errno;
  const bool happened = co_await connecting.done(deadline_us);
  shard.forget(descriptor.get());
  if (!happened) co_return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(descriptor.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) co_return errno;
  co_return error;
}

}  // namespace

task<io_result<std::unique_ptr<Connection>>> SocketNetwork::connect(Address address, int64_t timeout_ms) {
  auto& shard = static_cast<EventShard&>(Shard::current());
  const int64_t deadline_us = shard.now_us() + timeout_ms * 1000;
  std::vector<SocketAddress> candidates;
  if (const auto literal = parse_literal(address)) {
    candidates.push_back(*literal);
  } else {
    MOLDAU_CO_TRY(candidates, co_await on_io_thread(pool_, Lane::quick, [&] { return look_up(address); }));
  }
  int error = ETIMEDOUT;
  for (const SocketAddress& candidate : candidates) {
    Descriptor descriptor;
    error = co_await connect_one(shard, candidate, deadline_us, descriptor);
    if (error == 0) {
      if (auto socket = Socket::adopt(shard, std::move(descriptor), to_address(candidate))) co_return std::move(socket);
      error = errno;
    }
    if (error == ETIMEDOUT) break;
  }
  co_return fail(IoError{error, "connect to", address.to_string()});
}

}  // namespace moldau::runtime::real
