// ClientSession: one client's connection, from its first byte to its last.
//
// Reads frames, starts a request for each, and sends the answers in the order of the requests. Produce and Fetch may be
// served at the same time, up to a bound; any other request waits for those before it. Whatever is not Kafka's protocol
// closes this connection, is counted by reason, and disturbs no other. Lives on the shard of its connection.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "base/metrics.h"
#include "broker/dispatch.h"
#include "runtime/scope.h"
#include "server/frame_buffer.h"

namespace moldau::server {

struct SessionLimits {
  uint32_t max_frame_bytes = 100 << 20;        // socket.request.max.bytes
  size_t max_requests_under_way = 64;          // of one connection; more are left unread
  size_t max_answer_bytes_waiting = 64 << 20;  // of one connection, while the client does not read
  int64_t idle_ms = 600'000;                   // connections.max.idle.ms
  int64_t receive_timeout_ms = 30'000;         // moldau.request.receive.timeout.ms; 0: none
};

// What one shard's sessions count.
struct SessionCounters {
  Counter* opened = nullptr;
  Gauge* open = nullptr;
  Counter* bytes_in = nullptr;
  Counter* bytes_out = nullptr;
  Counter* memory_waits = nullptr;
  Gauge* memory_used_bytes = nullptr;
};

class ClientSession {
 public:
  ClientSession(broker::Broker& broker, broker::BrokerShard& shard, std::unique_ptr<runtime::Connection> connection,
                std::string listener_name, MemoryBudget& budget, const SessionLimits& limits, SessionCounters& counters);

  // Runs until the client or the server has closed the connection and every request has ended.
  [[nodiscard]] runtime::task<void> run();

  // Closes the connection; run() returns soon after. `reason` is for the log.
  void close(std::string_view reason);

  [[nodiscard]] const std::string& listener_name() const { return client_.listener_name; }
  [[nodiscard]] bool is_closed() const { return closed_; }
  [[nodiscard]] int64_t last_activity_us() const { return last_activity_us_; }

 private:
  struct Slot {
    broker::Reply reply;
    bool overlaps = false;
    bool finished = false;
  };

  runtime::task<void> read_requests();
  runtime::task<void> write_answers();
  runtime::task<void> serve(Frame frame, Slot& slot);
  [[nodiscard]] runtime::task<bool> wait_for_turn(bool overlaps);
  void refuse(broker::Refusal refusal);
  void arm_idle_timer();
  void note_incomplete_frame();
  void arm_receive_timer(int64_t at_us);
  [[nodiscard]] runtime::task<bool> wait_for_memory();

  broker::Broker& broker_;
  broker::BrokerShard& shard_;
  std::unique_ptr<runtime::Connection> connection_;
  broker::ClientConnection client_;
  MemoryBudget& budget_;
  const SessionLimits& limits_;
  SessionCounters& counters_;
  FrameBuffer buffer_;
  std::deque<Slot> slots_;      // requests in order; a slot's address stays while it is in the queue
  size_t under_way_ = 0;        // started and not finished
  size_t exclusive_ = 0;        // of those: may not overlap
  size_t answer_bytes_ = 0;     // finished and not sent
  bool reading_ = true;
  bool closed_ = false;
  int64_t last_activity_us_ = 0;
  runtime::TimerId idle_timer_ = runtime::no_timer;
  int64_t frame_began_us_ = -1;  // when the first byte of the incomplete frame came; -1: there is none
  runtime::TimerId receive_timer_ = runtime::no_timer;
  runtime::Signal changed_;     // a request finished, answers were sent, or the connection closed
  runtime::Signal answers_;     // wakes the writer
  runtime::Scope requests_;
};

}  // namespace moldau::server
