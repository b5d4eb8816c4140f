// How far a group is behind, partition by partition: in records, and in time by the age of the first record
// that it has not read yet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/groups.h"

namespace moldau::cli {

struct PartitionLag {
  client::TopicPartition partition;
  int64_t committed = -1;  // -1: none
  int64_t start = -1;
  int64_t end = -1;
  int64_t age_ms = -1;    // -1: unknown; 0 when it has read everything
  std::string member_id;  // who reads it now
  std::optional<client::Error> error;

  // -1: unknown. Records before the log's start are gone and not counted.
  [[nodiscard]] int64_t records() const {
    if (committed < 0 || end < 0) return -1;
    return std::max<int64_t>(0, end - std::max(committed, start));
  }
};

// Of every partition that the group committed an offset for or reads; sorted.
[[nodiscard]] client::task<client::client_result<std::vector<PartitionLag>>> group_lag(
    client::Cluster& cluster, client::GroupDescription group);

}  // namespace moldau::cli
