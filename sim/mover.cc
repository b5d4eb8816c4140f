// Asks for moves between the two log directories of the node, whatever else goes on.
#include "client/log_directories.h"
#include "recorded_calls.h"

namespace moldau::sim {

using client::Cluster;
using runtime::task;
using runtime::simulated::Random;

task<void> move_partitions(runtime::Environment& environment, Workload& workload, int64_t every_ms, uint64_t seed) {
  Random random(seed);
  while (!workload.topic_exists) co_await runtime::sleep_ms(50);
  while (!workload.stopping) {
    Cluster cluster(environment, cluster_options(workload));
    bool is_connected = true;
    while (!workload.stopping && is_connected) {
      co_await runtime::sleep_ms(random.between(every_ms / 4, every_ms * 7 / 4));
      const bool is_of_groups = random.chance(0.2);
      const auto partition = static_cast<int>(random.below(static_cast<uint64_t>(is_of_groups ? offsets_partitions : workload.partitions)));
      const auto moved = co_await client::move_replica(cluster, is_of_groups ? "__consumer_offsets" : topic_name, partition,
                                                       log_directories[random.below(std::size(log_directories))]);
      if (moved)
        ++workload.moves;
      else
        judge(workload, "who moves partitions", moved.error());
      is_connected = moved || moved.error().code != protocol::ErrorCode::none;
    }
    co_await cluster.close();
    co_await runtime::sleep_ms(100);
  }
}

}  // namespace moldau::sim
