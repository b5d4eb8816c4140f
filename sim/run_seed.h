// One seed: a node, its clients, its faults, and the verdict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moldau::sim {

struct SeedOptions {
  uint64_t seed = 0;
  bool trace = false;  // every event and every line of the log, to standard error
};

struct SeedResult {
  std::vector<std::string> faults;  // empty: all is well
  uint64_t trace_hash = 0;
  uint64_t events = 0;
  int64_t simulated_us = 0;
  size_t acknowledged = 0;
  size_t read = 0;
  int boots = 0;
  size_t commits = 0;
  size_t moves = 0;  // between log directories, begun
};

[[nodiscard]] SeedResult run_seed(const SeedOptions& options);

}  // namespace moldau::sim
