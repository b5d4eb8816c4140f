// What one seed's world is like: sizes, lengths and which faults come how often. Drawn from the seed before it begins.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/simulated/world.h"

namespace moldau::sim {

struct Plan {
  uint64_t seed = 0;
  int shards = 1;
  int partitions = 1;
  int producers = 2;
  int consumers = 1;       // that assign themselves
  int members = 0;         // of one group
  int static_members = 0;  // of those
  int64_t duration_us = 10'000'000;  // of load and faults; then everything heals
  int64_t roll_ms = 0;  // a segment lasts at most so long; 0: a week
  int64_t retention_ms = -1;
  int64_t retention_bytes = -1;
  int64_t index_interval_bytes = 4096;
  int64_t checkpoint_ms = 60'000;  // between writes of the recovery points
  int64_t disk_latency_us_max = 1000;
  double written_back = 0;  // of the writes, put on the medium unasked
  bool wraps_sequences = false;
  bool reads_committed = false;
  // Every append is flushed before it is acknowledged, and ends are power cuts. Else ends are kills, which leave the
  // page cache: that is what Kafka promises with its defaults.
  bool power_cuts = false;
  // With power cuts: by moldau.durable.acks instead of log.flush.interval.messages=1.
  bool durable_acks = false;
  // Mean time between faults of each kind; 0: none.
  int64_t end_every_us = 0;       // kill or power cut
  int64_t restart_every_us = 0;   // a clean stop
  int64_t reset_every_us = 0;     // all connections of the node break
  int64_t block_every_us = 0;     // a client is cut off for a while
  int64_t pause_every_us = 0;
  int64_t clock_jump_every_us = 0;  // by up to an hour
  int64_t clock_leap_every_us = 0;  // by hours to years, further than the node believes
  int64_t move_every_us = 0;        // a partition is asked to move to the other one of two log directories
  int64_t full_disk_every_us = 0;
  int64_t failed_sync_every_us = 0;
  int64_t client_end_every_us = 0;  // a client is killed and comes back
  double segment_reset = 0;  // of each segment on the network

  [[nodiscard]] std::string to_string() const;
};

[[nodiscard]] Plan draw_plan(uint64_t seed);

// What the plan's faults are done to, and what only the owner of the world can do.
struct Targets {
  runtime::simulated::Node& node;
  std::vector<std::string> clients;  // hosts
  std::function<void()> ask_for_clean_stop;
  std::function<void(const std::string& host)> kill_client;
};
// Schedules the plan's faults until `end_us`.
void schedule_faults(const Plan& plan, runtime::simulated::World& world, Targets targets, int64_t end_us);
// Everything works again from now on.
void heal(runtime::simulated::World& world, runtime::simulated::Node& node);

}  // namespace moldau::sim
