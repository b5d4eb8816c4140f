// For tests that end a process at every change of its disk.
#pragma once

#include "runtime/simulated/world.h"

namespace moldau::storage::test {

// Runs the world until the partition's directory was changed so often, each operation in a turn of its own, so that there is a
// moment behind it. False: the story was over before.
inline bool run_until_changed(runtime::simulated::World& world, runtime::simulated::Node& node, int changes, const bool& is_over) {
  node.disk_faults.later = 1;
  int seen = 0;
  world.set_trace_sink([&seen](const std::string& line) {
    if (line.contains("/data/t-0") && !line.contains(" open ")) ++seen;
  });
  while (seen < changes && !is_over) world.step();
  world.set_trace_sink(nullptr);
  return !is_over;
}

}  // namespace moldau::storage::test
