// The sessions of one shard: opens one for each connection that is handed over, and closes all of them at the end.
//
// Owned by the node, one a shard, used on that shard only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "server/client_session.h"

namespace moldau::server {

class ShardSessions {
 public:
  // `reserved_listener`: whose requests have memory of their own, that clients of other listeners cannot take.
  ShardSessions(broker::Broker& broker, broker::BrokerShard& shard, const SessionLimits& limits, size_t request_memory_bytes,
                std::string reserved_listener);

  // Serves a connection that was accepted on `listener_name`.
  void serve(std::unique_ptr<runtime::Connection> connection, std::string listener_name);

  // Closes the connection that has been silent for longest, of those that did not come through the reserved listener;
  // false if there is none.
  bool close_one();

  // Closes every connection and waits until their requests have ended; later ones are closed at once.
  [[nodiscard]] runtime::task<void> stop();

 private:
  runtime::task<void> run(std::unique_ptr<ClientSession> session, uint64_t number);

  broker::Broker& broker_;
  broker::BrokerShard& shard_;
  SessionLimits limits_;
  std::string reserved_listener_;
  MemoryBudget budget_;
  MemoryBudget reserved_;
  SessionCounters counters_;
  std::map<uint64_t, ClientSession*> open_;  // by number, in the order in which they came
  uint64_t next_number_ = 0;
  bool stopping_ = false;
  runtime::Scope sessions_;
};

}  // namespace moldau::server
