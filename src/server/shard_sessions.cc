#include "server/shard_sessions.h"

#include "broker/broker_shard.h"

namespace moldau::server {

using runtime::task;

// For other brokers' requests on each shard, none of which carries records.
static constexpr size_t reserved_memory_bytes = 16 << 20;

static SessionCounters make_counters(MetricRegistry& metrics) {
  return {.opened = &metrics.counter("moldau_connections_opened_total", "Connections that clients opened."),
          .open = &metrics.gauge("moldau_connections", "Connections that are open now."),
          .bytes_in = &metrics.counter("moldau_network_received_bytes_total", "Bytes that clients sent."),
          .bytes_out = &metrics.counter("moldau_network_sent_bytes_total", "Bytes that were sent to clients."),
          .memory_waits = &metrics.counter("moldau_request_memory_waits_total",
                                           "Large requests that waited for request memory."),
          .memory_used_bytes = &metrics.gauge("moldau_request_memory_bytes", "Memory that requests hold.")};
}

ShardSessions::ShardSessions(broker::Broker& broker, broker::BrokerShard& shard, const SessionLimits& limits,
                             size_t request_memory_bytes, std::string reserved_listener)
    : broker_(broker),
      shard_(shard),
      limits_(limits),
      reserved_listener_(std::move(reserved_listener)),
      budget_(request_memory_bytes),
      reserved_(reserved_memory_bytes),
      counters_(make_counters(shard.metrics)) {}

void ShardSessions::serve(std::unique_ptr<runtime::Connection> connection, std::string listener_name) {
  if (stopping_) {
    connection->close();
    return;
  }
  MemoryBudget& budget = listener_name == reserved_listener_ ? reserved_ : budget_;
  auto session = std::make_unique<ClientSession>(broker_, shard_, std::move(connection), std::move(listener_name),
                                                 budget, limits_, counters_);
  const uint64_t number = next_number_++;
  open_.emplace(number, session.get());
  sessions_.spawn(run(std::move(session), number));
}

task<void> ShardSessions::run(std::unique_ptr<ClientSession> session, uint64_t number) {
  counters_.opened->add();
  counters_.open->add(1);
  co_await session->run();
  counters_.open->add(-1);
  open_.erase(number);
}

bool ShardSessions::close_one() {
  ClientSession* longest = nullptr;
  for (const auto& [number, session] : open_) {
    if (session->listener_name() == reserved_listener_ || session->is_closed()) continue;
    if (longest == nullptr || session->last_activity_us() < longest->last_activity_us()) longest = session;
  }
  if (longest == nullptr) return false;
  longest->close("the node has more than max.connections");
  return true;
}

task<void> ShardSessions::stop() {
  stopping_ = true;
  const auto open = open_;  // closing one may end it, and take it out
  for (const auto& [number, session] : open)
    if (open_.contains(number)) session->close("the node stops");
  co_await sessions_.join();
}

}  // namespace moldau::server
