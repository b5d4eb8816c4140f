// The accepting side of SocketNetwork.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/log.h"
#include "runtime/real/addresses.h"
#include "runtime/real/socket.h"
#include "runtime/real/socket_network.h"

namespace moldau::runtime::real {

namespace {

// How long to leave the queue of new connections alone when the process has no descriptor left for one.
constexpr int64_t pause_us = 100'000;
// Connections accepted in one go, so that a storm of them does not hold the turn.
constexpr int accept_at_once = 64;

// What the shards share with a listener that may be closed while connections are on their way to them.
struct Serving {
  Network::Serve serve;
  std::atomic<bool> closed{false};
};

class SocketListener final : public Listener, private Pollable {
 public:
  SocketListener(EventShard& home, const std::vector<std::unique_ptr<EventShard>>& shards, Descriptor descriptor,
                 Network::Serve serve, Admission* admission)
      : home_(home), shards_(shards), admission_(admission), descriptor_(std::move(descriptor)),
        address_(local_address(descriptor_.get())), serving_(std::make_shared<Serving>()), next_(static_cast<size_t>(home.index())) {
    serving_->serve = std::move(serve);
  }
  ~SocketListener() override { close(); }

  [[nodiscard]] bool start() { return home_.watch(descriptor_.get(), EPOLLIN, *this); }
  [[nodiscard]] Address address() const override { return address_; }

  void look_again() override {
    if (again_ != no_timer) home_.cancel(std::exchange(again_, no_timer));
    accept_again_in(0);
  }

  void close() override {
    serving_->closed = true;
    descriptor_.reset();
    if (again_ != no_timer) home_.cancel(std::exchange(again_, no_timer));
  }

 private:
  // A timer at zero rather than a job: it can be cancelled when the listener goes.
  void on_events(uint32_t) override { accept_again_in(0); }

  void accept_again_in(int64_t wait_us) {
    if (again_ != no_timer || !descriptor_.valid()) return;
    again_ = home_.call_at(home_.now_us() + wait_us, [this] {
      again_ = no_timer;
      accept_some();
    });
  }

  void accept_some() {
    for (int i = 0; i < accept_at_once; ++i) {
      if (const int64_t wait_us = admission_ == nullptr ? 0 : admission_->wait_us(); wait_us > 0) {
        if (wait_us != Admission::until_told) accept_again_in(wait_us);
        return;
      }
      SocketAddress peer;
      peer.size = sizeof peer.storage;
      Descriptor accepted(accept4(descriptor_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted.valid()) {
        take(std::move(accepted), to_address(peer));
      } else if (errno == EAGAIN) {
        return;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        complain(errno);
        accept_again_in(pause_us);
        return;
      }  // else that one connection failed before it was taken (ECONNABORTED and the like)
    }
    accept_again_in(0);
  }

  void take(Descriptor accepted, Address peer) {
    std::shared_ptr<void> ticket;
    if (admission_ != nullptr && (ticket = admission_->admit(peer)) == nullptr) return;  // closes it
    EventShard& target = *shards_[next_++ % shards_.size()];
    target.post([&target, serving = serving_, accepted = std::move(accepted), peer = std::move(peer),
                 ticket = std::move(ticket)]() mutable {
      if (serving->closed) return;
      auto socket = Socket::adopt(target, std::move(accepted), std::move(peer));
      if (socket == nullptr) return;
      socket->ticket = std::move(ticket);
      serving->serve(std::move(socket));
    });
  }

  void complain(int number) {
    if (home_.now_us() < next_complaint_us_) return;
    next_complaint_us_ = home_.now_us() + 10'000'000;
    log_warning("{}; new connections wait until others are closed (raise the limit of open files, ulimit -n)",
                IoError{number, "accept on", address_.to_string()}.message());
  }

  EventShard& home_;
  const std::vector<std::unique_ptr<EventShard>>& shards_;
  Admission* admission_;
  Descriptor descriptor_;
  Address address_;
  std::shared_ptr<Serving> serving_;
  size_t next_;
  TimerId again_ = no_timer;
  int64_t next_complaint_us_ = 0;
};

// Binds and listens; or minus an errno in the descriptor's place. Accepted connections inherit the buffers' sizes, and a
// receive buffer that is set later is too late for the window that the first packets agree on.
int open_listening(const SocketAddress& address, bool both_families, const ListenOptions& options) {
  Descriptor descriptor(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.valid()) return -errno;
  const int yes = 1;
  const int only_v6 = both_families ? 0 : 1;
  setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.family() == AF_INET6) setsockopt(descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  if (options.send_buffer_bytes != ListenOptions::of_the_system)
    setsockopt(descriptor.get(), SOL_SOCKET, SO_SNDBUF, &options.send_buffer_bytes, sizeof options.send_buffer_bytes);
  if (options.receive_buffer_bytes != ListenOptions::of_the_system)
    setsockopt(descriptor.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes, sizeof options.receive_buffer_bytes);
  if (bind(descriptor.get(), address.get(), address.size) != 0) return -errno;
  if (::listen(descriptor.get(), options.backlog == ListenOptions::of_the_system ? SOMAXCONN : options.backlog) != 0) return -errno;
  return descriptor.release();
}

// Every interface: IPv6 and IPv4 on one socket, or IPv4 alone where the machine has no IPv6.
int open_on_every_interface(uint16_t port, const ListenOptions& options) {
  const int both = open_listening(*parse_literal({"::", port}), true, options);
  return both >= 0 || both == -EADDRINUSE ? both : open_listening(*parse_literal({"0.0.0.0", port}), false, options);
}

}  // namespace

io_result<std::unique_ptr<Listener>> SocketNetwork::listen(const Address& address, Serve serve, const ListenOptions& options) {
  auto& home = static_cast<EventShard&>(Shard::current());
  int opened = -EADDRNOTAVAIL;
  if (address.host.empty()) {
    opened = open_on_every_interface(address.port, options);
  } else if (const auto literal = parse_literal(address)) {
    opened = open_listening(*literal, false, options);
  } else {
    MOLDAU_TRY(const std::vector<SocketAddress> addresses, look_up(address));
    for (size_t i = 0; i < addresses.size() && opened < 0; ++i) opened = open_listening(addresses[i], false, options);
  }
  if (opened < 0) return fail(IoError{-opened, "listen on", address.to_string()});
  auto listener = std::make_unique<SocketListener>(home, shards_, Descriptor(opened), std::move(serve), options.admission);
  if (!listener->start()) return fail(IoError{errno, "listen on", address.to_string()});
  return listener;
}

}  // namespace moldau::runtime::real
