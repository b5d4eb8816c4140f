// ReplicaMover: moves partitions between log directories (AlterReplicaLogDirs, KIP-113) on all shards, at
// replica.alter.log.dirs.io.max.bytes.per.second together.
//
// Made by the node before it loads its logs, started once they are open, stopped before they are closed. The work is the
// ShardMover's, on the home of each partition. Kafka: ReplicaAlterLogDirsManager.
#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "broker/io_throttle.h"
#include "broker/shard_mover.h"
#include "metadata/image.h"

namespace moldau::broker {

class ReplicaMover {
 public:
  explicit ReplicaMover(Broker& broker);
  ~ReplicaMover();

  // On shard 0.
  [[nodiscard]] runtime::task<void> start();
  [[nodiscard]] runtime::task<void> stop();
  // The settings of the brokers changed; on shard 0.
  void take_settings(const metadata::MetadataImage& image);
  [[nodiscard]] runtime::task<std::vector<MetricFamily>> describe();

  [[nodiscard]] ShardMover& of(const BrokerShard& shard) { return *shards_[static_cast<size_t>(shard.shard.index())]; }

 private:
  Broker& broker_;
  IoThrottle throttle_;
  std::vector<std::unique_ptr<ShardMover>> shards_;
};

}  // namespace moldau::broker
