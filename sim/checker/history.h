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
  int64_t timestamp_ms = -1;      // of the record
};

struct Read {
  Partition partition;
  int64_t offset = 0;
  Value value = 0;
  int64_t timestamp_ms = -1;
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
  // For which group it reads; empty: none.
  std::string group = {};
};

// The high watermark, last stable offset and log start offset that one answer told.
struct Watermarks {
  Partition partition;
  int64_t invoked_us = 0;
  int64_t completed_us = 0;
  int64_t high_watermark = 0;
  int64_t last_stable_offset = 0;
};

// Someone was told where a log begins: what lay below was removed. A power cut may bring it back.
struct LogStart {
  Partition partition;
  int64_t completed_us = 0;
  int64_t offset = 0;
  int64_t told_ms = 0;  // the wall clock of whoever was told
};

// What a lookup by time told: the first record of this time or a later one; -1 if there is none.
struct TimeLookup {
  Partition partition;
  int64_t invoked_us = 0;
  int64_t completed_us = 0;
  int64_t timestamp_ms = 0;
  int64_t found_offset = -1;
  int64_t told_ms = 0;  // the wall clock of whoever was told
};

// A member learned what is its own in a generation of its group.
struct Membership {
  std::string group;
  std::string identity;  // the instance id of a static member, else the member id
  int generation = 0;
  int64_t learned_us = 0;
  std::set<Partition> partitions;
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
  std::vector<LogStart> log_starts;
  std::vector<Commit> commits;
  std::vector<CommittedOffset> committed;
  std::vector<TimeLookup> lookups;
  std::vector<Membership> memberships;
  // What the topics' retention allows to be removed; -1: nothing for this reason. By time only if no clock jumped.
  int64_t retention_ms = -1;
  int64_t retention_bytes = -1;
  // Partitions that were read from their log start offset to their end after everything else: what none of these reads
  // gave is lost, unless it lies below the log start offset.
  struct FinalRead {
    Partition partition;
    int64_t log_start_offset = 0;
    std::vector<Read> read;
    int64_t size_bytes = -1;  // of the log; -1: not known
  };
  std::vector<FinalRead> final_reads;
};

}  // namespace moldau::sim
