// The log of each partition as all observations together show it.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "checker/findings.h"
#include "checker/history.h"

namespace moldau::sim {

struct ObservedLog {
  // Offset to the values that somebody read there or was told to have written there.
  std::map<int64_t, std::set<Value>> at;
  // Those that somebody has read.
  std::set<Value> read;
};

struct ObservedLogs {
  std::map<Partition, ObservedLog> logs;
  // Where a value lies; the lowest place if it is a duplicate.
  std::map<Value, std::pair<Partition, int64_t>> place;
  std::map<Value, const Operation*> writer;

  // How many values the log holds between two offsets, neither included.
  [[nodiscard]] int values_between(const Partition& partition, int64_t low, int64_t high) const;
};

// Reads of every operation count, failed ones too; acknowledged offsets only of operations that happened.
[[nodiscard]] ObservedLogs observe(const History& history);

void check_log(const History& history, const ObservedLogs& observed, Findings& findings);
void check_polls(const History& history, const ObservedLogs& observed, Findings& findings);
void check_order(const History& history, const ObservedLogs& observed, Findings& findings);
void check_watermarks(const History& history, Findings& findings);
void check_commits(const History& history, Findings& findings);
void check_coverage(const History& history, Findings& findings);
void check_memberships(const History& history, Findings& findings);
void check_lookups(const History& history, const ObservedLogs& observed, Findings& findings);
void check_retention(const History& history, const ObservedLogs& observed, Findings& findings);

}  // namespace moldau::sim
