// Wire: the network between the nodes of a world: who listens, which connections exist, and what happens to their bytes.
//
// A connection delivers bytes in order or not at all, like TCP; different connections overtake each other freely. Bytes
// travel in segments with a delay each. A blocked direction holds its segments until it is open again. A connection that
// breaks delivers some prefix of what was on its way, then both sides see ECONNRESET.
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "runtime/network.h"
#include "runtime/shard.h"

namespace moldau::runtime::simulated {

class World;
class SimulatedShard;

// May be changed at any time. Probabilities are for each segment, read or connect.
struct NetworkFaults {
  int64_t latency_us_min = 20;
  int64_t latency_us_max = 500;
  double slow = 0.005;  // a segment was lost and is sent again
  int64_t slow_us_max = 300'000;
  double short_read = 0.3;  // a read gives less than has come
  double reset = 0;         // a segment meets a connection that breaks
  double refuse = 0;        // a connect is refused though somebody listens
  uint64_t window_bytes = 128 * 1024;  // on the way and not yet read, for each direction
};

// One side of a connection. What comes in is what the other side has sent.
struct Side {
  Address local;
  Address peer;
  uint64_t life = 0;
  SimulatedShard* shard = nullptr;
  bool closed = false;  // by its owner, or its owner is gone
  int error = 0;        // has arrived here: nothing works any more
  bool ended = false;   // the peer's end has arrived here
  Bytes arrived;
  size_t taken = 0;  // of arrived
  struct Segment {
    int64_t due_us;
    Bytes bytes;  // empty: the end
  };
  std::deque<Segment> coming;
  uint64_t coming_bytes = 0;
  std::coroutine_handle<> reader;
  std::coroutine_handle<> writer;

  [[nodiscard]] uint64_t unread_bytes() const { return arrived.size() - taken; }
};

struct Link {
  uint64_t id = 0;
  bool is_broken = false;  // nothing that is sent from now on arrives; the sides learn of it in time
  std::array<Side, 2> sides;
};
using LinkPtr = std::shared_ptr<Link>;

struct ListenerState {
  Address address;
  uint64_t life = 0;
  Network::Serve serve;
  Shard* home = nullptr;  // that called listen()
  Admission* admission = nullptr;
  struct Waiting {
    std::unique_ptr<Connection> connection;
    Shard* shard;  // to which it goes
  };
  std::deque<Waiting> waiting;  // connected, and not yet taken
  size_t next_shard = 0;
  bool closed = false;
};

class Wire {
 public:
  explicit Wire(World& world) : world_(world) {}

  NetworkFaults faults;

  // Nothing passes from one host to another, until it is unblocked.
  void block(const std::string& from, const std::string& to) { blocked_.insert({from, to}); }
  void block_both(const std::string& a, const std::string& b) {
    block(a, b);
    block(b, a);
  }
  // Opens everything.
  void heal();
  [[nodiscard]] bool is_blocked(const std::string& from, const std::string& to) const { return blocked_.contains({from, to}); }
  // Breaks every connection that has `host` on one side; gives how many.
  int break_connections(const std::string& host);
  [[nodiscard]] size_t connections() const { return links_.size(); }

  // For SimulatedNetwork and SimulatedConnection.
  int listen(std::shared_ptr<ListenerState> listener);
  void unlisten(ListenerState& listener);
  [[nodiscard]] std::shared_ptr<ListenerState> listener_at(const Address& address) const;
  LinkPtr connect(uint64_t client_life, SimulatedShard& client_shard, const std::string& client_host, ListenerState& listener);
  // Puts bytes (empty: the end) on their way to the other side.
  void send(const LinkPtr& link, int from_side, Bytes bytes);
  void close(const LinkPtr& link, int side);
  void break_link(const LinkPtr& link);
  // After `side` has read: its peer may send more.
  void tell_room(const LinkPtr& link, int side);
  // A process is gone with all it had.
  void end_of(uint64_t life);
  [[nodiscard]] int64_t choose_latency();

 private:
  void pump(const LinkPtr& link, int to_side);
  void schedule_pump(const LinkPtr& link, int to_side, int64_t delay_us);
  void schedule_reset(const LinkPtr& link, int side, int64_t delay_us);
  void wake(Side& side, std::coroutine_handle<>& waiter);

  World& world_;
  std::set<std::pair<std::string, std::string>> blocked_;
  std::map<std::pair<std::string, uint16_t>, std::shared_ptr<ListenerState>> listeners_;
  std::map<uint64_t, LinkPtr> links_;
  uint64_t next_link_ = 1;
  uint16_t next_port_ = 40'000;
};

}  // namespace moldau::runtime::simulated
