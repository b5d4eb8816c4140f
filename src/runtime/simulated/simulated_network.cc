#include "runtime/simulated/simulated_network.h"

#include <algorithm>
#include <cerrno>

#include "runtime/simulated/simulated_environment.h"
#include "runtime/simulated/simulated_files.h"

namespace moldau::runtime::simulated {

namespace {

constexpr uint64_t segment_bytes_max = 16 * 1024;

// Hands those that wait at the door to their shards, as far as the admission lets them in. On the listener's shard.
void take_waiting(const std::shared_ptr<ListenerState>& listener) {
  while (!listener->closed && !listener->waiting.empty()) {
    if (const int64_t wait_us = listener->admission == nullptr ? 0 : listener->admission->wait_us(); wait_us > 0) {
      if (wait_us == Admission::until_told) return;
      listener->home->call_at(listener->home->now_us() + wait_us, [listener] { take_waiting(listener); });
      return;
    }
    std::unique_ptr<Connection> accepted = std::move(listener->waiting.front().connection);
    Shard* const target = listener->waiting.front().shard;
    listener->waiting.pop_front();
    if (listener->admission != nullptr && (accepted->ticket = listener->admission->admit(accepted->peer())) == nullptr) {
      accepted->close();
      continue;
    }
    target->post([listener, accepted = std::move(accepted)]() mutable {
      if (!listener->closed) listener->serve(std::move(accepted));
    });
  }
}

class SimulatedListener final : public Listener {
 public:
  SimulatedListener(Wire& wire, std::shared_ptr<ListenerState> state) : wire_(wire), state_(std::move(state)) {}
  ~SimulatedListener() override { close(); }
  [[nodiscard]] Address address() const override { return state_->address; }
  void close() override { wire_.unlisten(*state_); }
  void look_again() override { take_waiting(state_); }

 private:
  Wire& wire_;
  std::shared_ptr<ListenerState> state_;
};

auto wait_in(std::coroutine_handle<>& slot) {
  struct Awaiter {
    std::coroutine_handle<>& slot;
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> caller) const {
      MOLDAU_ASSERT_MSG(!slot, "two tasks read, or two write, one connection");
      slot = caller;
    }
    void await_resume() const {}
  };
  return Awaiter{slot};
}

// The accepting side's share of a new connection: its process is told, on the shard that was chosen.
void hand_over(World& world, const LinkPtr& link, const std::shared_ptr<ListenerState>& listener) {
  SimulatedEnvironment* const server = world.environment_of(listener->life);
  if (server == nullptr) return;
  auto connection = std::make_unique<SimulatedConnection>(*server, link, 1);
  if (listener->admission == nullptr) {
    link->sides[1].shard->post([listener, accepted = std::move(connection)]() mutable {
      if (!listener->closed) listener->serve(std::move(accepted));
    });
    return;
  }
  listener->home->post([listener, target = link->sides[1].shard, accepted = std::move(connection)]() mutable {
    listener->waiting.push_back({std::move(accepted), target});
    take_waiting(listener);
  });
}

}  // namespace

Address SimulatedNetwork::resolve(Address address) const {
  if (address.host.empty() || address.host == "localhost" || address.host == "127.0.0.1" || address.host == "0.0.0.0" || address.host == "::")
    address.host = environment_.node().host;
  return address;
}

io_result<std::unique_ptr<Listener>> SimulatedNetwork::listen(const Address& address, Serve serve, const ListenOptions& options) {
  auto state = std::make_shared<ListenerState>();
  state->address = resolve(address);
  state->life = environment_.life();
  state->serve = std::move(serve);
  state->home = &current_shard();
  state->admission = options.admission;
  if (state->address.host != environment_.node().host) return fail(IoError{EADDRNOTAVAIL, "listen on", address.to_string()});
  Wire& wire = environment_.world().wire();
  if (const int error = wire.listen(state)) return fail(IoError{error, "listen on", address.to_string()});
  return std::make_unique<SimulatedListener>(wire, std::move(state));
}

task<io_result<std::unique_ptr<Connection>>> SimulatedNetwork::connect(Address address, int64_t timeout_ms) {
  World& world = environment_.world();
  Wire& wire = world.wire();
  SimulatedShard& shard = current_shard();
  const std::string& own_host = environment_.node().host;
  const Address target = resolve(address);
  const int64_t deadline_us = shard.now_us() + timeout_ms * 1000;
  const auto failed = [&](int number) { return fail(IoError{number, "connect to", address.to_string()}); };
  co_await later(wire.choose_latency());
  Node* const node = world.node_of(target.host);
  if (node == nullptr) co_return failed(EHOSTUNREACH);
  const bool silent = !node->is_running() && world.random().chance(0.5);
  if (silent || wire.is_blocked(own_host, target.host) || wire.is_blocked(target.host, own_host)) {
    co_await later(std::max<int64_t>(deadline_us - shard.now_us(), 1));
    co_return failed(ETIMEDOUT);
  }
  const auto listener = wire.listener_at(target);
  const bool refused = world.random().chance(wire.faults.refuse);
  if (!listener || refused) {
    co_await later(wire.choose_latency());
    world.trace("refuse", target.host, target.port);
    co_return failed(ECONNREFUSED);
  }
  const LinkPtr link = wire.connect(environment_.life(), shard, own_host, *listener);
  world.trace("connect", target.host, target.port, link->id);
  auto connection = std::make_unique<SimulatedConnection>(environment_, link, 0);
  hand_over(world, link, listener);
  co_await later(wire.choose_latency());
  co_return std::move(connection);
}

SimulatedConnection::~SimulatedConnection() {
  close();
  MOLDAU_ASSERT_MSG(!own().reader && !own().writer, "a connection was destroyed while a task used it");
}

void SimulatedConnection::close() { environment_.world().wire().close(link_, side_); }

std::unexpected<IoError> SimulatedConnection::error(int number, const char* operation) const {
  return fail(IoError{number, operation, own().peer.to_string()});
}

int SimulatedConnection::state() const { return own().closed ? ECANCELED : own().error; }

uint64_t SimulatedConnection::room_bytes() const {
  const uint64_t used = other().coming_bytes + other().unread_bytes();
  const uint64_t window = environment_.world().wire().faults.window_bytes;
  return used < window ? window - used : 0;
}

task<io_result<size_t>> SimulatedConnection::read(MutableByteView into) {
  MOLDAU_ASSERT_MSG(!into.empty(), "a read into nothing cannot tell the end from success");
  World& world = environment_.world();
  while (true) {
    Side& side = own();
    if (side.closed) co_return error(ECANCELED, "read from");
    if (side.unread_bytes() > 0) {
      size_t size = std::min<size_t>(into.size(), side.unread_bytes());
      if (world.random().chance(world.wire().faults.short_read)) size = 1 + world.random().below(size);
      std::copy_n(side.arrived.begin() + static_cast<ptrdiff_t>(side.taken), size, into.begin());
      side.taken += size;
      if (side.taken == side.arrived.size()) {
        side.arrived.clear();
        side.taken = 0;
      }
      world.wire().tell_room(link_, side_);
      co_return size;
    }
    if (side.error != 0) co_return error(side.error, "read from");
    if (side.ended) co_return size_t{0};
    co_await wait_in(side.reader);
  }
}

size_t SimulatedConnection::copy_part(const OutputPart& part, uint64_t offset, MutableByteView into) {
  if (part.file == nullptr) {
    const size_t size = std::min<size_t>(into.size(), part.bytes.size() - offset);
    std::copy_n(part.bytes.begin() + static_cast<ptrdiff_t>(offset), size, into.begin());
    return size;
  }
  const size_t size = std::min<size_t>(into.size(), part.file_size_bytes - offset);
  const size_t got = Disk::read(static_cast<const SimulatedFile&>(*part.file).inode(), part.file_position + offset, into.first(size));
  return got;
}

task<io_result<>> SimulatedConnection::write(std::span<const OutputPart> parts) {
  World& world = environment_.world();
  for (const OutputPart& part : parts) {
    const uint64_t size = part.file != nullptr ? part.file_size_bytes : part.bytes.size();
    for (uint64_t offset = 0; offset < size;) {
      if (const int number = state()) co_return error(number, "write to");
      if (own().ended && world.random().chance(0.5)) co_return error(EPIPE, "write to");
      const uint64_t room = room_bytes();
      if (room == 0) {
        co_await wait_in(own().writer);
        continue;
      }
      Bytes segment(std::min({room, size - offset, 1 + world.random().below(segment_bytes_max)}));
      const size_t copied = copy_part(part, offset, segment);
      if (copied == 0) co_return error(EPROTO, "write to");
      segment.resize(copied);
      offset += copied;
      world.wire().send(link_, side_, std::move(segment));
    }
  }
  if (const int number = state()) co_return error(number, "write to");
  if (world.random().chance(0.2)) {
    co_await later(world.wire().choose_latency());
    if (const int number = state()) co_return error(number, "write to");
  }
  co_return io_result<>{};
}

}  // namespace moldau::runtime::simulated
