// What clients did and saw, in a form that can be judged without knowing how it came about.
//
// Plain data, filled by the workload of a simulation or by a test against a real cluster. Values are unique over the
// whole history. Times are of one clock that all processes share.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace moldau::sim {

using Partition = std::string;  // "topic-0"
using Value = uint64_t;

enum class Outcome : uint8_t {
  ok,    // it happened
  fail,  // it certainly did not happen
  info,  // nobody knows: a timeout, a broken connection, an error that can follow a successful write
};

struct Sent {
  Partition partition;
  Value value = 0;
  std::optional<int64_t> offset;  // as the acknowledgement gave it
};

struct Read {
  Partition partition;
  int64_t offset = 0;
  Value value = 0;
};

// One request, batch or transaction of one client. Operations of one process do not overlap.
struct Operation {
  int process = 0;
  int64_t invoked_us = 0;
  int64_t completed_us = 0;
  Outcome outcome = Outcome::ok;
  std::vector<Sent> sent;
  std::vector<Read> read;  // in the order in which the client got them
  // Partitions whose reading starts afresh with this operation: after a seek, an assignment or a rebalance.
  std::set<Partition> repositioned;
};

// The high watermark and last stable offset that one answer told.
struct Watermarks {
  Partition partition;
  int64_t invoked_us = 0;
  int64_t completed_us = 0;
  int64_t high_watermark = 0;
  int64_t last_stable_offset = 0;
};

struct Commit {
  std::string group;
  Partition partition;
  int64_t invoked_us = 0;
  int64_t completed_us = 0;
  Outcome outcome = Outcome::ok;
  int generation = -1;  // -1: from outside of a membership
  int64_t offset = 0;   // the next to be processed
  int64_t processed = 0;  // one past the last offset that this member has processed, or the position it started from
};

// A committed offset as the group's coordinator told it.
struct CommittedOffset {
  std::string group;
  Partition partition;
  int64_t invoked_us = 0;
  int64_t completed_us = 0;
  int64_t offset = -1;  // -1: none
};

struct History {
  std::vector<Operation> operations;
  std::vector<Watermarks> watermarks;
  std::vector<Commit> commits;
  std::vector<CommittedOffset> committed;
  // Partitions that were read from their log start offset to their end after everything else: what none of these reads
  // gave is lost, unless it lies below the log start offset.
  struct FinalRead {
    Partition partition;
    int64_t log_start_offset = 0;
    std::vector<Read> read;
  };
  std::vector<FinalRead> final_reads;
};

}  // namespace moldau::sim
