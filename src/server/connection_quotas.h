// ConnectionQuotas: how many connections there may be, of all clients, of one listener and of one address, and how fast
// new ones may come (max.connections and its relatives; KIP-402, KIP-612). Logic without I/O; lives on shard 0.
//
// Where there are too many, or they come too fast, new ones are left in the system's queue; one too many from an address
// is closed. The brokers' own listener, if clients have another, is exempt from the bounds of the node: a broker that
// comes when the node is full is let in, and some client's connection must go (has_excess).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace moldau::server {

inline constexpr int32_t no_limit = INT32_MAX;

struct ConnectionLimits {
  int32_t max_connections = no_limit;         // max.connections
  int32_t max_creation_rate_per_s = no_limit;  // max.connection.creation.rate
  int32_t max_connections_per_ip = no_limit;  // max.connections.per.ip
  std::map<std::string, int32_t, std::less<>> max_connections_per_ip_overrides;
  struct OfListener {
    int32_t max_connections = no_limit;          // listener.name.X.max.connections
    int32_t max_creation_rate_per_s = no_limit;  // listener.name.X.max.connection.creation.rate
    bool is_protected = false;
  };
  std::vector<OfListener> listeners;  // in the order of `listeners`
};

// What keeps a new connection waiting.
enum class Bound : uint8_t { none, node, listener, rate };

class ConnectionQuotas {
 public:
  explicit ConnectionQuotas(size_t listeners) : listeners_(listeners) {}

  void set_limits(ConnectionLimits limits);

  // Whether a listener may take a connection, and if it is the rate that forbids it, for how long.
  struct Wait {
    Bound bound = Bound::none;
    int64_t for_us = 0;  // with Bound::rate
  };
  [[nodiscard]] Wait wait(size_t listener, int64_t now_us);

  // Counts a connection that was taken; false if its address has as many as it may, then it counts no more.
  [[nodiscard]] bool admit(size_t listener, std::string_view host, int64_t now_us);
  void release(size_t listener, std::string_view host);

  // Whether the node has more connections than max.connections.
  [[nodiscard]] bool has_excess() const { return total_ > limits_.max_connections; }
  [[nodiscard]] int32_t total() const { return total_; }

 private:
  // Connections that may come now without waiting; what is not used collects for as long as Kafka's ten full windows.
  struct Allowance {
    double ready = 0;
    int64_t counted_us = INT64_MIN;

    void refill(int32_t rate_per_s, int64_t now_us);
    [[nodiscard]] int64_t wait_us(int32_t rate_per_s) const;
  };
  struct Listener {
    int32_t open = 0;
    Allowance allowance;
  };

  [[nodiscard]] bool is_protected(size_t listener) const;

  ConnectionLimits limits_;
  std::vector<Listener> listeners_;
  int32_t total_ = 0;
  Allowance allowance_;
  std::map<std::string, int32_t, std::less<>> by_host_;
};

}  // namespace moldau::server
