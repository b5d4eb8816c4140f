// Consumers that read every partition and commit for a group that nobody joins.
#include "recorded_calls.h"

namespace moldau::sim {

using client::Cluster;
using runtime::task;
using runtime::simulated::Random;

task<void> consume(runtime::Environment& environment, Workload& workload, std::string group, uint64_t seed) {
  Random random(seed);
  while (!workload.topic_exists) co_await runtime::sleep_ms(50);
  Reader reader{.group = group, .process = workload.next_process++, .next = {}};
  while (!workload.stopping) {
    Cluster cluster(environment, cluster_options(workload));
    if (reader.next.empty())  // begins where its group stands
      for (const auto& [partition, offset] : co_await ask_committed(cluster, workload, group)) reader.next[partition] = std::max<int64_t>(offset, 0);
    client::Fetcher fetcher = make_fetcher(cluster, workload, reader);
    while (!workload.stopping && !reader.next.empty()) {
      if (!co_await poll(fetcher, workload, reader)) break;
      if (random.chance(workload.draining ? 0.5 : 0.1) && !co_await commit(cluster, workload, reader)) break;
      if (random.chance(0.05) && (co_await ask_committed(cluster, workload, group)).empty()) break;
      if (random.chance(0.1)) co_await look_up_time(cluster, workload, random);
    }
    co_await cluster.close();
    co_await runtime::sleep_ms(100);
  }
}

}  // namespace moldau::sim
