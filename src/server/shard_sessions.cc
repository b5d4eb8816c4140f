#include "server/shard_sessions.h"

#include "broker/broker_shard.h"

namespace moldau::server {

using runtime::task;

static SessionCounters make_counters(MetricRegistry& metrics) {
  return {.opened = &metrics.counter("moldau_connections_opened_total", "Connections that clients opened."),
          .open = &metrics.gauge("moldau_connections", "Connections that are open now."),
          .bytes_in = &metrics.counter("moldau_network_received_bytes_total", "Bytes that clients sent."),
          .bytes_out = &metrics.counter("moldau_network_sent_bytes_total", "Bytes that were sent to clients."),
          .memory_waits = &metrics.counter("moldau_request_memory_waits_total",
                                           "Large requests that waited for request memory.")};
}

ShardSessions::ShardSessions(broker::Broker& broker, broker::BrokerShard& shard, const SessionLimits& limits,
                             size_t request_memory_bytes)
    : broker_(broker),
      shard_(shard),
      limits_(limits),
      budget_(request_memory_bytes),
      counters_(make_counters(shard.metrics)) {}

void ShardSessions::serve(std::unique_ptr<runtime::Connection> connection, std::string listener_name) {
  if (stopping_) {
    connection->close();
    return;
  }
  auto session = std::make_unique<ClientSession>(broker_, shard_, std::move(connection), std::move(listener_name),
                                                 budget_, limits_, counters_);
  open_.insert(session.get());
  sessions_.spawn(run(std::move(session)));
}

task<void> ShardSessions::run(std::unique_ptr<ClientSession> session) {
  counters_.opened->add();
  counters_.open->add(1);
  co_await session->run();
  counters_.open->add(-1);
  open_.erase(session.get());
}

task<void> ShardSessions::stop() {
  stopping_ = true;
  const auto open = open_;  // closing one may end it, and take it out of the set
  for (ClientSession* session : open)
    if (open_.contains(session)) session->close("the node stops");
  co_await sessions_.join();
}

}  // namespace moldau::server
