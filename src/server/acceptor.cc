#include "server/acceptor.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/log.h"
#include "metadata/config/config_map.h"
#include "metadata/config/config_value.h"
#include "metadata/config/ip_overrides.h"

namespace moldau::server {

using Outcome = result<void, std::string>;

static constexpr int64_t log_interval_us = 60'000'000;

// What to do about a port that cannot be had.
static const char* advice_for(int error_number) {
  switch (error_number) {
    case EADDRINUSE: return ". Another program listens there (`ss -ltnp` names it): stop it, or give this listener another port";
    case EADDRNOTAVAIL: return ". No interface of this machine has that address: listeners names where to listen, advertised.listeners what clients are told";
    case EACCES: return ". A port below 1024 needs rights of its own: choose a higher one";
    default: return "";
  }
}

// What the listeners share, and tickets hold on to.
struct Acceptor::State {
  State(runtime::Shard& shard, size_t listeners, MetricRegistry& metrics)
      : home(shard),
        quotas(listeners),
        refused(metrics.counter("moldau_connections_refused_total", "Connections closed because their address has as many as it may.")),
        closed_for_others(metrics.counter("moldau_connections_closed_for_others_total",
                                          "Clients' connections closed because the node had more than max.connections.")) {
    const auto held = [&metrics](const char* bound) {
      return &metrics.counter("moldau_connections_held_total", "Times that new connections had to wait, by the bound that was reached.",
                              {{"bound", bound}});
    };
    of_bound[static_cast<size_t>(Bound::node)] = held("node");
    of_bound[static_cast<size_t>(Bound::listener)] = held("listener");
    of_bound[static_cast<size_t>(Bound::rate)] = held("rate");
  }

  void release(size_t listener, const std::string& host) {
    quotas.release(listener, host);
    closing = false;
    for (runtime::Listener* waiting : open) waiting->look_again();
    close_excess();
  }
  void close_excess() {
    if (closing || !quotas.has_excess() || !close_one) return;
    closing = true;
    closed_for_others.add();
    close_one();
  }

  runtime::Shard& home;
  ConnectionQuotas quotas;
  Counter& refused;
  Counter& closed_for_others;
  Counter* of_bound[4] = {};
  std::vector<runtime::Listener*> open;
  std::function<void()> close_one;
  bool closing = false;  // one was asked to go, and its place is not free yet: no second one goes for it
  int64_t next_log_us = 0;
};

// A connection's place among those that the node may have.
class Acceptor::Ticket {
 public:
  Ticket(std::shared_ptr<State> state, size_t listener, std::string host);
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket();

 private:
  std::shared_ptr<State> state_;
  size_t listener_;
  std::string host_;
};

// One listener's admission.
class Acceptor::Door final : public runtime::Admission {
 public:
  Door(std::shared_ptr<State> state, size_t listener, std::string name) : state_(std::move(state)), listener_(listener), name_(std::move(name)) {}

  [[nodiscard]] int64_t wait_us() override {
    const ConnectionQuotas::Wait wait = state_->quotas.wait(listener_, state_->home.now_us());
    if (wait.bound != std::exchange(bound_, wait.bound) && wait.bound != Bound::none) {
      state_->of_bound[static_cast<size_t>(wait.bound)]->add();
      say(wait.bound);
    }
    if (wait.bound == Bound::none) return 0;
    return wait.bound == Bound::rate ? wait.for_us : until_told;
  }

  [[nodiscard]] std::shared_ptr<void> admit(const runtime::Address& peer) override {
    if (!state_->quotas.admit(listener_, peer.host, state_->home.now_us())) {
      state_->refused.add();
      return nullptr;
    }
    auto ticket = std::make_shared<Ticket>(state_, listener_, peer.host);
    state_->close_excess();
    return ticket;
  }

  std::unique_ptr<runtime::Listener> listener;

 private:
  void say(Bound bound) {
    if (state_->home.now_us() < state_->next_log_us) return;
    state_->next_log_us = state_->home.now_us() + log_interval_us;
    const char* key = bound == Bound::rate ? "max.connection.creation.rate" : bound == Bound::node ? "max.connections, moldau.connections.max" : "max.connections of the listener";
    log_warning("new connections on {} wait: {} is reached, with {} connections open", name_, key, state_->quotas.total());
  }

  std::shared_ptr<State> state_;
  size_t listener_;
  std::string name_;
  Bound bound_ = Bound::none;
};

Acceptor::Ticket::Ticket(std::shared_ptr<State> state, size_t listener, std::string host)
    : state_(std::move(state)), listener_(listener), host_(std::move(host)) {}
Acceptor::Ticket::~Ticket() {
  runtime::Shard& home = state_->home;
  home.post([state = std::move(state_), listener = listener_, host = std::move(host_)] { state->release(listener, host); });
}

Acceptor::Acceptor(runtime::Environment& environment, const Listeners& listeners, const metadata::NetworkConfig& network, MetricRegistry& metrics)
    : environment_(environment),
      listeners_(listeners),
      network_(network),
      state_(std::make_shared<State>(*environment.shards().front(), listeners.size(), metrics)) {}

Acceptor::~Acceptor() { close(); }

Outcome Acceptor::bind(Serve serve) {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    const metadata::ListenerEndpoint& endpoint = listeners_[i];
    auto door = std::make_unique<Door>(state_, i, endpoint.name);
    auto listener = environment_.network().listen(
        {endpoint.host, endpoint.port},
        [serve, name = endpoint.name](std::unique_ptr<runtime::Connection> connection) { serve(std::move(connection), name); },
        {.admission = door.get(),
         .send_buffer_bytes = network_.socket_send_buffer_bytes,
         .receive_buffer_bytes = network_.socket_receive_buffer_bytes,
         .backlog = network_.socket_listen_backlog_size});
    if (!listener)
      return fail(fmt::format("listeners: {}://{}:{}: {}{}", endpoint.name, endpoint.host, endpoint.port, listener.error().message(),
                              advice_for(listener.error().error_number)));
    door->listener = std::move(*listener);
    state_->open.push_back(door->listener.get());
    doors_.push_back(std::move(door));
  }
  return {};
}

void Acceptor::set_limits(ConnectionLimits limits) {
  state_->quotas.set_limits(std::move(limits));
  for (runtime::Listener* listener : state_->open) listener->look_again();
  state_->close_excess();
}

void Acceptor::on_excess(std::function<void()> close_one) { state_->close_one = std::move(close_one); }

void Acceptor::close() {
  state_->open.clear();
  state_->close_one = nullptr;
  for (const auto& door : doors_) door->listener->close();
}

std::vector<runtime::Address> Acceptor::addresses() const {
  std::vector<runtime::Address> all;
  for (const auto& door : doors_) all.push_back(door->listener->address());
  return all;
}

ConnectionLimits connection_limits(const metadata::ConfigMap& effective, const Listeners& listeners, const metadata::NodeConfig& config) {
  const auto number = [&effective](std::string_view key) { return static_cast<int32_t>(metadata::node_integer(effective, key)); };
  ConnectionLimits limits;
  limits.max_connections = std::min(number("max.connections"), config.own.connections_max);
  limits.max_creation_rate_per_s = number("max.connection.creation.rate");
  limits.max_connections_per_ip = number("max.connections.per.ip");
  for (const auto& [host, most] : metadata::parse_ip_overrides(metadata::node_text(effective, "max.connections.per.ip.overrides")))
    limits.max_connections_per_ip_overrides[host] = most;
  for (const metadata::ListenerEndpoint& listener : listeners) {
    const auto of_listener = [&](std::string_view key) {
      std::string name = listener.name;
      std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
      const std::string* text = metadata::find_given(effective, fmt::format("listener.name.{}.{}", name, key));
      return static_cast<int32_t>(text == nullptr ? no_limit : metadata::parse_integer(*text, 0, no_limit).value_or(no_limit));
    };
    limits.listeners.push_back({.max_connections = of_listener("max.connections"),
                                .max_creation_rate_per_s = of_listener("max.connection.creation.rate"),
                                .is_protected = listener.name == config.network.inter_broker_listener_name});
  }
  return limits;
}

}  // namespace moldau::server
