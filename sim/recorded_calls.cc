#include "recorded_calls.h"

#include "values.h"

namespace moldau::sim {

using client::Cluster;
using runtime::Shard;
using runtime::task;

client::Fetcher make_fetcher(Cluster& cluster, const Workload& workload, const Reader& reader) {
  client::Fetcher fetcher(cluster, {.isolation = workload.isolation});
  for (const auto& [partition, next] : reader.next) fetcher.assign(topic_partition(partition), next);
  return fetcher;
}

namespace {

void note_log_start(Workload& workload, Cluster& cluster, int partition, int64_t offset) {
  workload.history.log_starts.push_back({.partition = partition_name(partition),
                                         .completed_us = Shard::current().now_us(),
                                         .offset = offset,
                                         .told_ms = cluster.environment().wall_clock_ms()});
}

// What lay here is gone by retention: goes on where the log begins now.
task<bool> move_to_log_start(Cluster& cluster, Workload& workload, Reader& reader, int partition) {
  std::vector<client::OffsetQuery> queries{{.partition = topic_partition(partition), .timestamp = client::earliest_offset}};
  const auto found = co_await client::find_offsets(cluster, std::move(queries));
  if (!found || found->front().error) co_return false;
  note_log_start(workload, cluster, partition, found->front().offset);
  if (found->front().offset < reader.next[partition]) co_return false;
  reader.next[partition] = found->front().offset;
  reader.repositioned.insert(partition_name(partition));
  co_return false;
}

void note_watermarks(Workload& workload, Cluster& cluster, const client::FetchedPartition& told, int64_t invoked_us) {
  if (told.high_watermark < 0) return;
  workload.history.watermarks.push_back({.partition = partition_name(told.partition.partition),
                                         .invoked_us = invoked_us,
                                         .completed_us = Shard::current().now_us(),
                                         .high_watermark = told.high_watermark,
                                         .last_stable_offset = told.last_stable_offset});
  note_log_start(workload, cluster, told.partition.partition, told.log_start_offset);
}

}  // namespace

task<bool> poll(client::Fetcher& fetcher, Workload& workload, Reader& reader) {
  Operation operation{.process = reader.process, .invoked_us = Shard::current().now_us(), .group = reader.group};
  const auto fetched = co_await fetcher.poll(500);
  if (!fetched) co_return false;
  operation.completed_us = Shard::current().now_us();
  operation.repositioned = std::exchange(reader.repositioned, {});
  bool fine = true;
  std::optional<int> out_of_range;
  for (const client::FetchedPartition& one : *fetched) {
    const int partition = one.partition.partition;
    for (const client::FetchedRecord& record : one.records)
      operation.read.push_back({partition_name(partition), record.offset, value_of(record.value), record.timestamp_ms});
    if (one.error) {
      fine = false;
      judge(workload, "a consumer", *one.error);
      if (one.error->code == protocol::ErrorCode::offset_out_of_range) out_of_range = partition;
    } else {
      note_watermarks(workload, fetcher.cluster(), one, operation.invoked_us);
    }
    if (one.next_offset >= 0) reader.next[partition] = one.next_offset;
  }
  workload.history.operations.push_back(std::move(operation));
  if (out_of_range) co_return co_await move_to_log_start(fetcher.cluster(), workload, reader, *out_of_range);
  co_return fine;
}

task<bool> commit(Cluster& cluster, Workload& workload, Reader reader, client::CommittingMember member) {
  std::vector<client::CommittedOffset> offsets;
  std::vector<Commit>& commits = workload.history.commits;
  const size_t first = commits.size();
  for (const auto& [partition, next] : reader.next) {
    offsets.push_back({.partition = topic_partition(partition), .offset = next, .leader_epoch = -1, .metadata = {}});
    commits.push_back({.group = reader.group,
                       .partition = partition_name(partition),
                       .invoked_us = Shard::current().now_us(),
                       .completed_us = INT64_MAX,
                       .outcome = Outcome::info,
                       .generation = member.generation,
                       .offset = next,
                       .processed = next});
  }
  const size_t end = commits.size();
  if (first == end) co_return true;
  const auto outcome = co_await client::commit_offsets(cluster, reader.group, std::move(offsets), std::move(member));
  for (size_t i = first; i < end; ++i) {
    commits[i].completed_us = Shard::current().now_us();
    if (!outcome) continue;
    commits[i].outcome = Outcome::ok;
    int64_t& highest = workload.acknowledged_commits[{reader.group, commits[i].partition}];
    highest = std::max(highest, commits[i].offset);
  }
  if (!outcome) judge(workload, "a committing consumer", outcome.error());
  co_return outcome.has_value();
}

task<std::map<int, int64_t>> ask_committed(Cluster& cluster, Workload& workload, std::string group) {
  const int64_t invoked_us = Shard::current().now_us();
  const auto found = co_await client::committed_offsets(cluster, group);
  std::map<int, int64_t> offsets;
  if (!found) co_return offsets;
  for (int i = 0; i < workload.partitions; ++i) offsets[i] = -1;
  for (const client::CommittedOffset& each : *found) offsets[each.partition.partition] = each.offset;
  for (const auto& [partition, offset] : offsets)
    workload.history.committed.push_back({group, partition_name(partition), invoked_us, Shard::current().now_us(), offset});
  co_return offsets;
}

task<void> look_up_time(Cluster& cluster, Workload& workload, runtime::simulated::Random& random) {
  const int partition = static_cast<int>(random.below(static_cast<uint64_t>(workload.partitions)));
  const int64_t timestamp_ms = cluster.environment().wall_clock_ms() - random.between(0, 15'000);
  const int64_t invoked_us = Shard::current().now_us();
  std::vector<client::OffsetQuery> queries{{.partition = topic_partition(partition), .timestamp = timestamp_ms}};
  const auto found = co_await client::find_offsets(cluster, std::move(queries));
  if (!found || found->front().error) co_return;
  workload.history.lookups.push_back({.partition = partition_name(partition),
                                      .invoked_us = invoked_us,
                                      .completed_us = Shard::current().now_us(),
                                      .timestamp_ms = timestamp_ms,
                                      .found_offset = found->front().offset,
                                      .told_ms = cluster.environment().wall_clock_ms()});
}

}  // namespace moldau::sim
