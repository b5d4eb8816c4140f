// The clients of a simulated world: what they do, and the history of what they saw.
//
// Every client is a process on a host of its own. Producers (producers.cc) are idempotent and send unique values; after a
// failure that leaves a fate unknown they begin again as a new process of the history. Readers (consumers.cc) read every
// partition from where they are and commit for a group of their own. A mover
// (mover.cc) moves partitions to and fro. Members (members.cc) join a group, read what it gives
// them and commit with their generation. Any of them may be killed at any time and started again: what the history is to
// know of an operation is noted before the operation begins.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "checker/history.h"
#include "client/cluster.h"
#include "client/offsets.h"
#include "runtime/environment.h"
#include "runtime/simulated/world.h"

namespace moldau::sim {

inline constexpr const char* topic_name = "t";
inline constexpr int offsets_partitions = 4;
inline constexpr const char* log_directories[] = {"/data", "/data2"};  // or the first one alone

struct Workload {
  runtime::simulated::World& world;
  const runtime::simulated::Node& node;  // the one that serves
  runtime::Address server;
  int partitions = 1;
  std::vector<std::pair<std::string, std::string>> topic_configs;
  bool wraps_sequences = false;  // producers begin with sequences shortly before they wrap
  client::Isolation isolation = client::Isolation::read_uncommitted;
  bool removes_records = false;  // by retention
  bool disk_fills = false;       // at times

  History history;
  bool topic_exists = false;
  bool producers_stop = false;  // after what they are doing
  bool draining = false;        // nothing is produced any more: whoever consumes commits what it has
  bool stopping = false;        // consumers end as well
  Value next_value = 1;
  int next_process = 0;
  size_t moves = 0;  // that were begun
  std::map<std::pair<std::string, Partition>, int64_t> acknowledged_commits;  // the highest, by group and partition
  // What no answer to an honest client may be, for example a sequence refused; each is a fault.
  std::vector<std::string> surprises;

  // What every group's offsets and every partition's contents are in the end.
  struct State {
    struct Log {
      int64_t start_offset = 0;
      int64_t size_bytes = -1;
      std::vector<Read> records;
    };
    std::map<Partition, Log> logs;
    std::map<std::pair<std::string, Partition>, int64_t> committed;
    std::map<Partition, std::map<int64_t, std::pair<int32_t, int32_t>>> producers;  // by id: epoch and last sequence
    std::map<std::string, std::string> topics;  // name to id and partition count
  };
};

[[nodiscard]] Partition partition_name(int partition);
[[nodiscard]] client::TopicPartition topic_partition(int partition);
[[nodiscard]] client::ClusterOptions cluster_options(const Workload& workload);
// Notes a surprise if `error` is one.
void judge(Workload& workload, const char* what, const client::Error& error);

// Mains of client processes.
runtime::task<void> create_topic(runtime::Environment& environment, Workload& workload);
runtime::task<void> produce(runtime::Environment& environment, Workload& workload, uint64_t seed);
runtime::task<void> consume(runtime::Environment& environment, Workload& workload, std::string group, uint64_t seed);
// `instance_id` is empty for a dynamic member.
runtime::task<void> join_and_consume(runtime::Environment& environment, Workload& workload, std::string group,
                                     std::string instance_id, uint64_t seed);
// Asks for a move of a partition every so often.
runtime::task<void> move_partitions(runtime::Environment& environment, Workload& workload, int64_t every_ms, uint64_t seed);
// Reads everything from the beginning and asks for every group's offsets. Sets `done` when all of it has been had.
runtime::task<void> read_state(runtime::Environment& environment, Workload& workload, std::vector<std::string> groups,
                               Workload::State& state, bool& done);

}  // namespace moldau::sim
