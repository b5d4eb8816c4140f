// Node: one Moldau process, from its configuration to its last byte on disk. Wiring only; what is decided is decided
// elsewhere.
//
// Runs in whatever Environment it is given, real or simulated. start() and stop() are called on shard 0, once each and
// stop() also after a failed start.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/clock_watch.h"
#include "broker/maintenance.h"
#include "runtime/network.h"
#include "server/acceptor.h"
#include "server/shard_sessions.h"

namespace moldau::server {

class Node {
 public:
  Node(runtime::Environment& environment, metadata::LoadedConfig config);
  ~Node();

  // Opens the directories, loads the metadata and the logs, registers, and listens. The error is a sentence that says
  // what to do.
  [[nodiscard]] runtime::task<result<void, std::string>> start();

  // Closes the connections and writes what a clean stop leaves behind, so that the next start need not recover.
  [[nodiscard]] runtime::task<void> stop();

  [[nodiscard]] broker::Broker& broker() { return broker_; }
  // The broker's listeners as bound, in the order of `listeners`.
  [[nodiscard]] std::vector<runtime::Address> addresses() const { return acceptor_->addresses(); }

 private:
  [[nodiscard]] runtime::task<result<void, std::string>> open_metadata();  // on the quorum's shard
  [[nodiscard]] runtime::task<result<void, std::string>> register_controller();
  [[nodiscard]] runtime::task<result<void, std::string>> register_broker();
  [[nodiscard]] runtime::task<result<void, std::string>> unfence();
  [[nodiscard]] result<void, std::string> bind();
  void set_connection_limits(const metadata::ConfigMap& effective);
  void serve_connections();
  [[nodiscard]] runtime::task<void> close_a_clients_connection();
  [[nodiscard]] runtime::task<void> leave_cluster();
  [[nodiscard]] runtime::task<void> close_logs();

  runtime::Environment& environment_;
  metadata::LoadedConfig config_;
  broker::Broker broker_;
  std::vector<std::unique_ptr<ShardSessions>> sessions_;
  std::unique_ptr<Acceptor> acceptor_;             // the broker's listeners
  std::unique_ptr<Acceptor> controller_acceptor_;  // the controller's
  std::unique_ptr<broker::Maintenance> maintenance_;
  std::unique_ptr<broker::ClockWatch> clock_watch_;
  int64_t broker_epoch_ = -1;
  bool started_ = false;
  bool logs_are_open_ = false;  // all of them, recovered if need be: only then can a stop be a clean one
};

}  // namespace moldau::server
