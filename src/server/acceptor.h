// Acceptor: listeners, and who is let in through them: one for the broker's, one for the controller's, whose connections
// do not count among the broker's.
//
// Binds every listener, asks the ConnectionQuotas before a connection is taken, and hands it to a shard with a
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

using Listeners = std::vector<metadata::ListenerEndpoint>;

// The limits that the node's settings say for these listeners of its configuration.
[[nodiscard]] ConnectionLimits connection_limits(const metadata::ConfigMap& effective, const Listeners& listeners,
                                                 const metadata::NodeConfig& config);

class Acceptor {
 public:
  // `serve` is called on the shard that got the connection.
  using Serve = std::function<void(std::unique_ptr<runtime::Connection>, const std::string& listener_name)>;

  // `listeners` and `network` outlive the acceptor.
  Acceptor(runtime::Environment& environment, const Listeners& listeners, const metadata::NetworkConfig& network, MetricRegistry& metrics);
  ~Acceptor();

  [[nodiscard]] result<void, std::string> bind(Serve serve);
  void set_limits(ConnectionLimits limits);
  // Called, on shard 0, when there are more connections than there may be: one of a client's is to be closed.
  void on_excess(std::function<void()> close_one);
  void close();

  // As bound, in the order of the listeners.
  [[nodiscard]] std::vector<runtime::Address> addresses() const;

 private:
  class Door;
  class Ticket;
  struct State;

  runtime::Environment& environment_;
  const Listeners& listeners_;
  const metadata::NetworkConfig& network_;
  std::shared_ptr<State> state_;
  std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace moldau::server
