// Idempotent producers.
#include "client/producer.h"
#include "values.h"
#include "workload.h"

namespace moldau::sim {

using client::Cluster;
using runtime::Environment;
using runtime::Shard;
using runtime::task;
using runtime::simulated::Random;

namespace {

// Mostly now, at times somewhat older: times in a log need not rise.
int64_t draw_timestamp_ms(Environment& environment, Random& random) {
  return environment.wall_clock_ms() - (random.chance(0.2) ? random.between(0, 3000) : 0);
}

client::ProducerOptions producer_options(const Workload& workload, Random& random) {
  client::ProducerOptions options{.linger_ms = random.between(0, 20), .delivery_timeout_ms = 20'000, .allow_auto_create = false};
  if (workload.wraps_sequences) options.first_sequence = INT32_MAX - static_cast<int32_t>(random.below(20));
  return options;
}

// One session of a producer: ends when the workload stops or when a record's fate is unknown.
task<void> produce_session(Cluster& cluster, Workload& workload, Random& random) {
  const int process = workload.next_process++;
  const int boots = workload.node.boots();
  client::Producer producer(cluster, producer_options(workload, random));
  bool broken = false;
  std::vector<Operation>& operations = workload.history.operations;
  while (!workload.producers_stop && !broken) {
    const auto burst = random.between(1, 6);
    for (int64_t i = 0; i < burst && !broken; ++i) {
      const int partition = static_cast<int>(random.below(static_cast<uint64_t>(workload.partitions)));
      const Value value = workload.next_value++;
      const int64_t timestamp_ms = draw_timestamp_ms(cluster.environment(), random);
      const size_t at = operations.size();
      operations.push_back({.process = process,
                            .invoked_us = Shard::current().now_us(),
                            .completed_us = INT64_MAX,
                            .outcome = Outcome::info,
                            .sent = {{partition_name(partition), value, {}, timestamp_ms}}});
      const size_t size = random.chance(0.15) ? random.below(5000) : random.below(200);
      const auto on_delivery = [&workload, &broken, at, boots](const client::client_result<client::Delivery>& delivery) {
        Operation& operation = workload.history.operations[at];
        operation.completed_us = Shard::current().now_us();
        if (!delivery) {
          // Two ways in which Kafka's protocol loses its count: a restart remembers a producer's last batch alone, so that a
          // repeat of an earlier one is refused; and a new producer whose first batch found no room may begin with its second.
          const bool may_lose_count = boots != workload.node.boots() || workload.disk_fills;
          if (!may_lose_count || delivery.error().code != protocol::ErrorCode::out_of_order_sequence_number)
            judge(workload, "a producer", delivery.error());
          broken = true;
          return;
        }
        operation.outcome = Outcome::ok;
        if (delivery->offset >= 0) operation.sent[0].offset = delivery->offset;
      };
      const auto queued = co_await producer.send({.topic = topic_name, .partition = partition, .key = {}, .value = bytes_of(value, size), .headers = {}, .timestamp_ms = timestamp_ms},
                                                 on_delivery);
      if (!queued) {
        operations[at].completed_us = Shard::current().now_us();
        operations[at].outcome = Outcome::fail;
        broken = true;
      }
    }
    if (random.chance(0.3)) co_await producer.flush();
    co_await runtime::sleep_ms(random.between(0, 100));
  }
  co_await producer.close();
}

}  // namespace

task<void> produce(Environment& environment, Workload& workload, uint64_t seed) {
  Random random(seed);
  while (!workload.topic_exists) co_await runtime::sleep_ms(50);
  while (!workload.producers_stop) {
    Cluster cluster(environment, cluster_options(workload));
    co_await produce_session(cluster, workload, random);
    co_await cluster.close();
    co_await runtime::sleep_ms(50);
  }
}

}  // namespace moldau::sim
