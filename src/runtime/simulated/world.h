// World: several nodes with their shards, disks, clocks and network in one thread, on virtual time, from one seed.
//
// The test owns the world and drives it: it adds nodes, boots a main task on each, and runs the world until something
// holds or a time has passed. Which shard runs next, how long each file operation and each segment on the network takes,
// whether an operation finishes in the caller's turn or later, what a crash leaves of unsynced data: all comes from the
// seed. Every event goes into a running hash; two runs from one seed have the same hash at every step.
//
// A crash ends a node between two turns. Nothing of it runs again: not its tasks, not its destructors (a power cut runs
// none either). Its environment, with every frame and object that hangs on it, moves to a graveyard that lives as long
// as the process, so a program that crashes many nodes should run each world in a process of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/environment.h"
#include "runtime/simulated/disk.h"
#include "runtime/simulated/random.h"
#include "runtime/simulated/wire.h"

namespace moldau::runtime::simulated {

class World;
class SimulatedEnvironment;

// How a node's disk behaves; may be changed at any time. Probabilities are for each operation.
struct DiskFaults {
  double later = 0.5;  // not finished in the caller's turn
  int64_t latency_us_max = 1000;
  double slow = 0.002;
  int64_t slow_us_max = 200'000;
  double read_error = 0;  // EIO
  double write_error = 0;  // EIO, after some of the bytes
  double written_back = 0;  // the system puts the file on the medium right behind a write, unasked
  double sync_error = 0;  // EIO; what was dirty then never reaches the medium
  int fail_next_syncs = 0;  // so many syncs from now on fail in the same way
};

// A machine: what stays when its process dies.
class Node {
 public:
  const std::string host;  // its only address
  Disk disk;
  DiskFaults disk_faults;
  // Added to the world's time to give wall_clock_ms; change it to make the clock jump.
  int64_t clock_offset_ms = 0;

  [[nodiscard]] bool is_running() const { return environment_ != nullptr; }
  // Null while it is not running.
  [[nodiscard]] SimulatedEnvironment* environment() const { return environment_; }
  [[nodiscard]] int boots() const { return boots_; }
  // When the machine started, in the world's time; a power cut starts it anew.
  [[nodiscard]] int64_t powered_since_us() const { return powered_since_us_; }

 private:
  friend World;
  void environment_ended() { environment_ = nullptr; }
  Node(std::string name, int shards) : host(std::move(name)), shards_(shards) {}
  int shards_;
  int boots_ = 0;
  int64_t powered_since_us_ = 0;
  SimulatedEnvironment* environment_ = nullptr;
};

class World {
 public:
  explicit World(uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Hosts are names or addresses of your choice ("10.0.0.1"); `localhost` and 127.0.0.1 mean the node itself.
  Node& add_node(std::string host, int shards = 1);

  // Starts a process on the node; `main` is called on its shard 0, and the process ends when that task has ended.
  using Main = std::function<task<void>(Environment&)>;
  void boot(Node& node, Main main);
  // kill -9 and a power cut in one: connections go, unsynced data is at the mercy of the dice.
  void crash(Node& node);
  // kill -9 alone: the page cache survives.
  void kill(Node& node);
  // The node does nothing for so long, as under SIGSTOP or a stalled machine; the network goes on around it.
  void pause(Node& node, int64_t duration_us);

  // One event. False if nothing will ever happen again.
  bool step();
  // Runs until `done()`; false if `limit_us` passed first, or nothing happens any more.
  bool run_until(const std::function<bool()>& done, int64_t limit_us);
  void run_for(int64_t duration_us);

  [[nodiscard]] int64_t now_us() const { return now_us_; }
  [[nodiscard]] Wire& wire() { return wire_; }
  [[nodiscard]] Random& random() { return random_; }

  // Runs `job` outside every node after `delay_us`: for fault schedules.
  void after(int64_t delay_us, Job job) { schedule(delay_us, 0, std::move(job)); }

  [[nodiscard]] uint64_t trace_hash() const { return trace_hash_; }
  [[nodiscard]] uint64_t events() const { return events_; }
  // Where each traced event is written as a line; null for nowhere.
  void set_trace_sink(std::function<void(std::string)> sink) { trace_sink_ = std::move(sink); }

  // For the parts of the world: adds to the trace.
  void trace(std::string_view what, std::string_view subject, uint64_t a = 0, uint64_t b = 0);
  // For the parts of the world: a job of the environment with this life (0: of none), dropped if that has ended.
  void schedule(int64_t delay_us, uint64_t life, Job job);
  // The running environment with this life, or null.
  [[nodiscard]] SimulatedEnvironment* environment_of(uint64_t life) const;
  [[nodiscard]] Node* node_of(std::string_view host) const;

 private:
  struct Event {
    int64_t at_us;
    uint64_t sequence;
    uint64_t life;
    Job job;
  };
  static bool later(const Event& a, const Event& b) {
    return a.at_us != b.at_us ? a.at_us > b.at_us : a.sequence > b.sequence;
  }
  bool run_due_event();
  bool run_one_shard();
  bool pass_time();
  void end(Node& node);

  uint64_t seed_;
  Random random_;
  int64_t now_us_ = 1'000'000;
  uint64_t next_sequence_ = 0;
  uint64_t next_life_ = 1;
  uint64_t trace_hash_ = 0;
  uint64_t events_ = 0;
  std::function<void(std::string)> trace_sink_;
  std::vector<Event> queue_;  // a heap
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<uint64_t, std::unique_ptr<SimulatedEnvironment>> running_;  // by life
  Wire wire_;
};

}  // namespace moldau::runtime::simulated
