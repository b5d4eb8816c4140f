// The judge: a history goes in, the anomalies in it come out. Pure and deterministic.
//
// The rules follow Jepsen's checker for Kafka where it has one (tests/kafka.clj), and add what it leaves out: real-time
// order, stability, watermarks that never go back, committed offsets, memberships, lookups by time, retention. Gaps between offsets are no anomaly by themselves,
// for markers and compaction leave them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checker/history.h"

namespace moldau::sim {

enum class Anomaly : uint8_t {
  inconsistent_offset,     // two values at one offset
  duplicate,               // one value at two offsets
  lost_write,              // acknowledged (or read by somebody) and not there in the end
  aborted_read,            // a value whose writer failed was read
  own_read,                // an operation read what it was sending (a transaction before its end)
  skipped_in_poll,         // one poll jumped over a value that is in the log
  backwards_in_poll,
  skipped_between_polls,
  backwards_between_polls,
  reordered_send,          // a process's later value lies below its earlier one
  real_time_order,         // an operation began after another's end and got a lower offset
  watermark_regress,
  commit_passes_processing,
  stale_commit,            // a member of an older generation committed after a newer one had
  committed_lost,          // a coordinator tells an offset older than one that it had acknowledged
  committed_invented,      // a coordinator tells an offset that nobody committed
  committed_unread,        // below a group's committed offset lies a value that none of its consumers has read
  owned_twice,             // two members of one generation have the same partition
  wrong_lookup,            // a lookup by time told another record than the first of that time
  removed_too_early,       // the log start passed values that retention would have kept
  unstable_without_cause,  // the last stable offset lags although there are no transactions
};

[[nodiscard]] std::string_view name_of(Anomaly anomaly);

struct Finding {
  Anomaly anomaly;
  std::string text;  // which values, offsets and times
};

// All anomalies, at most `limit` of each kind.
[[nodiscard]] std::vector<Finding> check(const History& history, size_t limit = 10);

}  // namespace moldau::sim
