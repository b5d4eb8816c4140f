#include "cli/group_lag.h"

#include <algorithm>
#include <map>

#include "client/fetcher.h"

namespace moldau::cli {

using client::client_result;
using client::task;

namespace {

constexpr int fetch_rounds = 20;

// Fills age_ms of those that lag, from the timestamp of the record at the committed offset.
task<client_result<>> find_ages(client::Cluster& cluster, std::vector<PartitionLag>& lags) {
  client::Fetcher fetcher(cluster, {.partition_max_bytes = 1});  // the first batch comes whole
  std::map<client::TopicPartition, PartitionLag*> open;
  for (PartitionLag& lag : lags) {
    if (lag.records() == 0) lag.age_ms = 0;
    if (lag.records() <= 0) continue;
    open[lag.partition] = &lag;
    fetcher.assign(lag.partition, std::max(lag.committed, lag.start));
  }
  const int64_t now_ms = cluster.environment().wall_clock_ms();
  for (int round = 0; round < fetch_rounds && !open.empty(); ++round) {
    MOLDAU_CO_TRY(const auto fetched, co_await fetcher.poll(500));
    for (const auto& one : fetched) {
      const auto at = open.find(one.partition);
      if (at == open.end()) continue;
      const bool is_at_end = one.next_offset >= at->second->end;
      if (one.records.empty() && !one.error && !is_at_end) continue;  // control records, or nothing yet
      if (!one.records.empty() && one.records.front().timestamp_ms >= 0)
        at->second->age_ms = std::max<int64_t>(0, now_ms - one.records.front().timestamp_ms);
      else if (one.records.empty() && !one.error)
        at->second->age_ms = 0;
      fetcher.unassign(one.partition);
      open.erase(at);
    }
  }
  co_return client_result<>{};
}

}  // namespace

task<client_result<std::vector<PartitionLag>>> group_lag(client::Cluster& cluster,
                                                         client::GroupDescription group) {
  std::map<client::TopicPartition, PartitionLag> by_partition;
  MOLDAU_CO_TRY(const auto committed, co_await client::committed_offsets(cluster, group.id));
  for (const auto& offset : committed) by_partition[offset.partition].committed = offset.offset;
  for (const auto& member : group.members) {
    for (const auto& partition : member.assignment) by_partition[partition].member_id = member.id;
  }
  std::vector<PartitionLag> lags;
  std::vector<client::OffsetQuery> queries;
  for (auto& [partition, lag] : by_partition) {
    lag.partition = partition;
    lags.push_back(std::move(lag));
    queries.push_back({partition, client::earliest_offset});
    queries.push_back({partition, client::latest_offset});
  }
  MOLDAU_CO_TRY(const auto found, co_await client::find_offsets(cluster, queries));
  for (size_t i = 0; i < lags.size(); ++i) {
    const auto& start = found[2 * i];
    const auto& end = found[2 * i + 1];
    if (!start.error) lags[i].start = start.offset;
    if (end.error)
      lags[i].error = end.error;
    else
      lags[i].end = end.offset;
  }
  MOLDAU_CO_CHECK(co_await find_ages(cluster, lags));
  co_return lags;
}

}  // namespace moldau::cli
