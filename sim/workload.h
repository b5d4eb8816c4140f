// The clients of a simulated world: what they do, and the history of what they saw.
//
// Every client is a process on a host of its own. Producers are idempotent and send unique values; after a failure that
// leaves a fate unknown they begin again as a new process of the history. Consumers read every partition from where they
// are and commit for a group of their own.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "checker/history.h"
#include "client/cluster.h"
#include "runtime/environment.h"
#include "runtime/simulated/world.h"

namespace moldau::sim {

inline constexpr const char* topic_name = "t";

struct Workload {
  runtime::simulated::World& world;
  runtime::Address server;
  int partitions = 1;

  History history;
  bool topic_exists = false;
  bool stopping = false;  // producers and consumers end after what they are doing
  Value next_value = 1;
  int next_process = 0;

  // What every group's offsets and every partition's contents are in the end.
  struct State {
    std::map<Partition, std::vector<std::pair<int64_t, Value>>> records;
    std::map<std::pair<std::string, Partition>, int64_t> committed;
    std::map<std::string, std::string> topics;  // name to id and partition count
    friend bool operator==(const State&, const State&) = default;
  };
};

[[nodiscard]] Partition partition_name(int partition);

// Mains of client processes.
runtime::task<void> create_topic(runtime::Environment& environment, Workload& workload);
runtime::task<void> produce(runtime::Environment& environment, Workload& workload, uint64_t seed);
runtime::task<void> consume(runtime::Environment& environment, Workload& workload, std::string group, uint64_t seed);
// Reads everything from the beginning and asks for every group's offsets. Sets `done` when all of it has been had.
runtime::task<void> read_state(runtime::Environment& environment, Workload& workload, std::vector<std::string> groups,
                               Workload::State& state, bool& done);

}  // namespace moldau::sim
