// What one seed's world is like: sizes, lengths and which faults come how often. Drawn from the seed before it begins.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/simulated/world.h"

namespace moldau::sim {

struct Plan {
  uint64_t seed = 0;
  int shards = 1;
  int partitions = 1;
  int producers = 2;
  int consumers = 1;
  int64_t duration_us = 10'000'000;  // of load and faults; then everything heals
  int64_t roll_ms = 0;  // a segment lasts at most so long; 0: a week
  // Every append is flushed before it is acknowledged, and ends are power cuts. Else ends are kills, which leave the
  // page cache: that is what Kafka promises with its defaults.
  bool power_cuts = false;
  // Mean time between faults of each kind; 0: none.
  int64_t end_every_us = 0;       // kill or power cut
  int64_t restart_every_us = 0;   // a clean stop
  int64_t reset_every_us = 0;     // all connections of the node break
  int64_t block_every_us = 0;     // a client is cut off for a while
  int64_t pause_every_us = 0;
  int64_t clock_jump_every_us = 0;
  int64_t full_disk_every_us = 0;
  int64_t failed_sync_every_us = 0;
  double segment_reset = 0;  // of each segment on the network

  [[nodiscard]] std::string to_string() const;
};

[[nodiscard]] Plan draw_plan(uint64_t seed);

// Schedules the plan's faults on `node` until `end_us`. `boot` starts the node again.
void schedule_faults(const Plan& plan, runtime::simulated::World& world, runtime::simulated::Node& node,
                     std::vector<std::string> clients, int64_t end_us, std::function<void()> ask_for_clean_stop);
// Everything works again from now on.
void heal(runtime::simulated::World& world, runtime::simulated::Node& node);

}  // namespace moldau::sim
