#include "workload.h"

#include <deque>

#include "client/fetcher.h"
#include "client/groups.h"
#include "client/offsets.h"
#include "client/producer.h"
#include "client/topics.h"
#include "values.h"

namespace moldau::sim {

using client::Cluster;
using client::TopicPartition;
using runtime::Environment;
using runtime::Shard;
using runtime::task;
using runtime::simulated::Random;

namespace {

client::ClusterOptions cluster_options(const Workload& workload) {
  client::ClusterOptions options;
  options.bootstrap = {workload.server};
  options.connection.connect_timeout_ms = 2000;
  options.connection.request_timeout_ms = 5000;
  options.retry_timeout_ms = 5000;
  return options;
}

TopicPartition topic_partition(int partition) { return {.topic = topic_name, .partition = partition}; }

// One session of a producer: ends when the workload stops or when a record's fate is unknown.
task<void> produce_session(Cluster& cluster, Workload& workload, Random& random) {
  const int process = workload.next_process++;
  client::Producer producer(cluster, {.linger_ms = random.between(0, 20), .delivery_timeout_ms = 20'000, .allow_auto_create = false});
  bool broken = false;
  // Operations live in a queue of their own until their fate is known: the history's vector moves.
  std::deque<Operation> operations;
  while (!workload.stopping && !broken) {
    const auto burst = random.between(1, 6);
    for (int64_t i = 0; i < burst && !broken; ++i) {
      const int partition = static_cast<int>(random.below(static_cast<uint64_t>(workload.partitions)));
      const Value value = workload.next_value++;
      Operation& operation = operations.emplace_back();
      operation.process = process;
      operation.invoked_us = Shard::current().now_us();
      operation.completed_us = INT64_MAX;
      operation.outcome = Outcome::info;
      operation.sent.push_back({partition_name(partition), value, {}});
      const size_t size = random.chance(0.05) ? random.below(5000) : random.below(200);
      auto queued = co_await producer.send({.topic = topic_name, .partition = partition, .key = {}, .value = bytes_of(value, size), .headers = {}, .timestamp_ms = {}},
                                           [&operation, &broken](const client::client_result<client::Delivery>& delivery) {
                                             operation.completed_us = Shard::current().now_us();
                                             if (!delivery) {
                                               broken = true;
                                               return;
                                             }
                                             operation.outcome = Outcome::ok;
                                             if (delivery->offset >= 0) operation.sent[0].offset = delivery->offset;
                                           });
      if (!queued) {
        operation.completed_us = Shard::current().now_us();
        operation.outcome = Outcome::fail;
        broken = true;
      }
    }
    if (random.chance(0.3)) co_await producer.flush();
    co_await runtime::sleep_ms(random.between(0, 100));
  }
  co_await producer.close();
  for (Operation& operation : operations) workload.history.operations.push_back(std::move(operation));
}

struct Positions {
  std::map<int, int64_t> next;  // by partition
};

// Polls once and notes what came. False if the session should end.
task<bool> poll(client::Fetcher& fetcher, Workload& workload, int process, Positions& positions) {
  Operation operation{.process = process, .invoked_us = Shard::current().now_us()};
  const auto fetched = co_await fetcher.poll(500);
  operation.completed_us = Shard::current().now_us();
  if (!fetched) co_return false;
  bool fine = true;
  for (const client::FetchedPartition& partition : *fetched) {
    const Partition name = partition_name(partition.partition.partition);
    for (const client::FetchedRecord& record : partition.records) operation.read.push_back({name, record.offset, value_of(record.value)});
    if (partition.error) {
      fine = false;
    } else if (partition.high_watermark >= 0) {
      workload.history.watermarks.push_back({name, operation.invoked_us, operation.completed_us, partition.high_watermark, partition.last_stable_offset});
    }
    if (partition.next_offset >= 0) positions.next[partition.partition.partition] = partition.next_offset;
  }
  workload.history.operations.push_back(std::move(operation));
  co_return fine;
}

task<bool> commit(Cluster& cluster, Workload& workload, const std::string& group, const Positions& positions) {
  std::vector<client::CommittedOffset> offsets;
  std::vector<Commit> commits;
  for (const auto& [partition, next] : positions.next) {
    offsets.push_back({.partition = topic_partition(partition), .offset = next, .leader_epoch = -1, .metadata = {}});
    commits.push_back({.group = group, .partition = partition_name(partition), .invoked_us = Shard::current().now_us(), .outcome = Outcome::info, .offset = next, .processed = next});
  }
  if (offsets.empty()) co_return true;
  const auto outcome = co_await client::commit_offsets(cluster, group, offsets);
  for (Commit& each : commits) {
    each.completed_us = Shard::current().now_us();
    if (outcome) each.outcome = Outcome::ok;
    workload.history.commits.push_back(each);
  }
  co_return outcome.has_value();
}

task<bool> ask_committed(Cluster& cluster, Workload& workload, const std::string& group, std::map<std::pair<std::string, Partition>, int64_t>* into) {
  const int64_t invoked_us = Shard::current().now_us();
  const auto found = co_await client::committed_offsets(cluster, group);
  if (!found) co_return false;
  std::map<Partition, int64_t> offsets;
  for (int i = 0; i < workload.partitions; ++i) offsets[partition_name(i)] = -1;
  for (const client::CommittedOffset& each : *found) offsets[partition_name(each.partition.partition)] = each.offset;
  for (const auto& [partition, offset] : offsets) {
    workload.history.committed.push_back({group, partition, invoked_us, Shard::current().now_us(), offset});
    if (into != nullptr) (*into)[{group, partition}] = offset;
  }
  co_return true;
}

}  // namespace

Partition partition_name(int partition) { return fmt::format("{}-{}", topic_name, partition); }

task<void> create_topic(Environment& environment, Workload& workload) {
  while (!workload.topic_exists) {
    Cluster cluster(environment, cluster_options(workload));
    const auto created = co_await client::create_topic(cluster, {.name = topic_name, .partitions = workload.partitions, .replication_factor = 1, .configs = {}});
    workload.topic_exists = created.has_value() || created.error().code == protocol::ErrorCode::topic_already_exists;
    co_await cluster.close();
    co_await runtime::sleep_ms(200);
  }
}

task<void> produce(Environment& environment, Workload& workload, uint64_t seed) {
  Random random(seed);
  while (!workload.topic_exists) co_await runtime::sleep_ms(50);
  while (!workload.stopping) {
    Cluster cluster(environment, cluster_options(workload));
    co_await produce_session(cluster, workload, random);
    co_await cluster.close();
    co_await runtime::sleep_ms(50);
  }
}

task<void> consume(Environment& environment, Workload& workload, std::string group, uint64_t seed) {
  Random random(seed);
  const int process = workload.next_process++;
  Positions positions;
  while (!workload.topic_exists) co_await runtime::sleep_ms(50);
  for (int i = 0; i < workload.partitions; ++i) positions.next[i] = 0;
  while (!workload.stopping) {
    Cluster cluster(environment, cluster_options(workload));
    client::Fetcher fetcher(cluster, {});
    for (const auto& [partition, next] : positions.next) fetcher.assign(topic_partition(partition), next);
    while (!workload.stopping) {
      if (!co_await poll(fetcher, workload, process, positions)) break;
      if (random.chance(0.1) && !co_await commit(cluster, workload, group, positions)) break;
      if (random.chance(0.05) && !co_await ask_committed(cluster, workload, group, nullptr)) break;
    }
    co_await cluster.close();
    co_await runtime::sleep_ms(100);
  }
}

task<void> read_state(Environment& environment, Workload& workload, std::vector<std::string> groups, Workload::State& state, bool& done) {
  while (true) {
    Cluster cluster(environment, cluster_options(workload));
    bool fine = true;
    Workload::State found;
    for (const std::string& group : groups) fine = fine && co_await ask_committed(cluster, workload, group, &found.committed);
    std::vector<client::OffsetQuery> queries;
    for (int i = 0; i < workload.partitions; ++i) queries.push_back({.partition = topic_partition(i), .timestamp = client::latest_offset});
    const auto ends = co_await client::find_offsets(cluster, queries);
    fine = fine && ends.has_value();
    if (fine) {
      client::Fetcher fetcher(cluster, {});
      std::map<int, int64_t> remaining;
      for (const client::FoundOffset& end : *ends) {
        fine = fine && !end.error;
        found.records[partition_name(end.partition.partition)];
        if (end.offset > 0) {
          remaining[end.partition.partition] = end.offset;
          fetcher.assign(end.partition, 0);
        }
      }
      while (fine && !remaining.empty()) {
        const auto fetched = co_await fetcher.poll(500);
        fine = fetched.has_value();
        if (!fine) break;
        for (const client::FetchedPartition& partition : *fetched) {
          fine = fine && !partition.error;
          for (const client::FetchedRecord& record : partition.records)
            found.records[partition_name(partition.partition.partition)].emplace_back(record.offset, value_of(record.value));
          const auto end = remaining.find(partition.partition.partition);
          if (end != remaining.end() && partition.next_offset >= end->second) remaining.erase(end);
        }
      }
    }
    const auto metadata = co_await cluster.metadata(std::nullopt);
    fine = fine && metadata.has_value();
    if (fine) {
      for (const auto& topic : metadata->topics) found.topics[topic.name.value_or("")] = fmt::format("{} {}", topic.topic_id, topic.partitions.size());
    }
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
