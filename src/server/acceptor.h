// Acceptor: the node's listeners, and who is let in through them.
//
// Binds every broker's listener, asks the ConnectionQuotas before a connection is taken, and hands it to a shard with a
// ticket; when the connection goes, so does the ticket, and its place is free again. Lives on shard 0, where the sockets
// listen; connections and their tickets may end on any shard.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "metadata/config/config_map.h"
#include "metadata/config/node_config.h"
#include "runtime/environment.h"
#include "server/connection_quotas.h"

namespace moldau::server {

// The limits that the broker's settings say, for `listeners` of the node's configuration.
[[nodiscard]] ConnectionLimits connection_limits(const metadata::ConfigMap& effective, const metadata::NetworkConfig& network,
                                                 int32_t own_max_connections);

class Acceptor {
 public:
  // `serve` is called on the shard that got the connection.
  using Serve = std::function<void(std::unique_ptr<runtime::Connection>, const std::string& listener_name)>;

  Acceptor(runtime::Environment& environment, const metadata::NetworkConfig& network, MetricRegistry& metrics);
  ~Acceptor();

  [[nodiscard]] result<void, std::string> bind(Serve serve);
  void set_limits(ConnectionLimits limits);
  // Called, on shard 0, when there are more connections than there may be: one of a client's is to be closed.
  void on_excess(std::function<void()> close_one);
  void close();

  // As bound, in the order of `listeners`.
  [[nodiscard]] std::vector<runtime::Address> addresses() const;
  // Whose connections are not closed for others (KIP-402).
  [[nodiscard]] const std::string& protected_listener() const { return network_.inter_broker_listener_name; }

 private:
  class Door;
  class Ticket;
  struct State;

  runtime::Environment& environment_;
  const metadata::NetworkConfig& network_;
  std::shared_ptr<State> state_;
  std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace moldau::server
