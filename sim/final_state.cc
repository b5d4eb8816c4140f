// What is there in the end, as a client finds it.
#include "protocol/messages/describe_log_dirs_request.h"
#include "protocol/messages/describe_log_dirs_response.h"
#include "protocol/messages/describe_producers_request.h"
#include "protocol/messages/describe_producers_response.h"
#include "recorded_calls.h"
#include "values.h"

namespace moldau::sim {

using client::Cluster;
using runtime::task;

namespace {

using State = Workload::State;
using Ends = std::map<int, int64_t>;

task<bool> find(Cluster& cluster, const Workload& workload, int64_t which, Ends& into) {
  std::vector<client::OffsetQuery> queries;
  for (int i = 0; i < workload.partitions; ++i) queries.push_back({.partition = topic_partition(i), .timestamp = which});
  const auto found = co_await client::find_offsets(cluster, std::move(queries), workload.isolation);
  if (!found) co_return false;
  for (const client::FoundOffset& one : *found) {
    if (one.error) co_return false;
    into[one.partition.partition] = one.offset;
  }
  co_return true;
}

task<bool> read_records(Cluster& cluster, Workload& workload, State& state) {
  Ends starts;
  Ends ends;
  if (!co_await find(cluster, workload, client::earliest_offset, starts)) co_return false;
  if (!co_await find(cluster, workload, client::latest_offset, ends)) co_return false;
  client::Fetcher fetcher(cluster, {.isolation = workload.isolation});
  for (const auto& [partition, start] : starts) {
    state.logs[partition_name(partition)].start_offset = start;
    if (start < ends[partition])
      fetcher.assign(topic_partition(partition), start);
    else
      ends.erase(partition);
  }
  while (!ends.empty()) {
    const auto fetched = co_await fetcher.poll(500);
    if (!fetched) co_return false;
    for (const client::FetchedPartition& one : *fetched) {
      const int partition = one.partition.partition;
      if (one.error) judge(workload, "the last reader", *one.error);
      if (one.error) co_return false;
      for (const client::FetchedRecord& record : one.records)
        state.logs[partition_name(partition)].records.push_back(
            {partition_name(partition), record.offset, value_of(record.value), record.timestamp_ms});
      const auto end = ends.find(partition);
      if (end == ends.end() || one.next_offset < end->second) continue;
      ends.erase(end);
      fetcher.unassign(one.partition);
    }
  }
  co_return true;
}

task<bool> read_sizes(Cluster& cluster, Workload& workload, State& state) {
  protocol::DescribeLogDirsRequest request;
  request.topics.reset();
  const auto reply = co_await cluster.call_any<protocol::DescribeLogDirsResponse>(std::move(request));
  if (!reply || reply->message.results.empty()) co_return false;
  for (const auto& directory : reply->message.results) {
    if (directory.error_code != 0) co_return false;
    for (const auto& topic : directory.topics)
      for (const auto& partition : topic.partitions) {
        if (topic.name != topic_name || partition.is_future_key) continue;
        int64_t& size_bytes = state.logs[partition_name(partition.partition_index)].size_bytes;
        if (size_bytes >= 0) workload.surprises.push_back(fmt::format("{} lies in two directories in the end", partition_name(partition.partition_index)));
        size_bytes = partition.partition_size;
      }
  }
  co_return std::ssize(state.logs) == workload.partitions;
}

task<bool> read_producers(Cluster& cluster, const Workload& workload, State& state) {
  protocol::DescribeProducersRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = topic_name;
  for (int i = 0; i < workload.partitions; ++i) topic.partition_indexes.push_back(i);
  const auto reply = co_await cluster.call_any<protocol::DescribeProducersResponse>(std::move(request));
  if (!reply || reply->message.topics.empty()) co_return false;
  for (const auto& partition : reply->message.topics.front().partitions) {
    if (partition.error_code != 0) co_return false;
    for (const auto& producer : partition.active_producers)
      state.producers[partition_name(partition.partition_index)][producer.producer_id] = {producer.producer_epoch, producer.last_sequence};
  }
  co_return true;
}

task<bool> read_topics(Cluster& cluster, State& state) {
  const auto metadata = co_await cluster.metadata(std::nullopt);
  if (!metadata) co_return false;
  for (const auto& topic : metadata->topics) state.topics[topic.name.value_or("")] = fmt::format("{} {}", topic.topic_id, topic.partitions.size());
  co_return true;
}

task<bool> read_groups(Cluster& cluster, Workload& workload, const std::vector<std::string>& groups, State& state) {
  for (const std::string& group : groups) {
    const std::map<int, int64_t> committed = co_await ask_committed(cluster, workload, group);
    if (committed.empty()) co_return false;
    for (const auto& [partition, offset] : committed) state.committed[{group, partition_name(partition)}] = offset;
  }
  co_return true;
}

}  // namespace

task<void> read_state(runtime::Environment& environment, Workload& workload, std::vector<std::string> groups,
                      Workload::State& state, bool& done) {
  while (true) {
    Cluster cluster(environment, cluster_options(workload));
    State found;
    const bool fine = co_await read_groups(cluster, workload, groups, found) && co_await read_sizes(cluster, workload, found) &&
                      co_await read_records(cluster, workload, found) && co_await read_producers(cluster, workload, found) &&
                      co_await read_topics(cluster, found);
    co_await cluster.close();
    if (fine) {
      state = std::move(found);
      done = true;
      co_return;  // whoever waits goes on at once, and what the references name may go
    }
    co_await runtime::sleep_ms(200);
  }
}

}  // namespace moldau::sim
