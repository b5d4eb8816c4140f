// What a broker does by the clock: retention, removal of deleted files, expiry of producers, flushes, checkpoints and
// snapshots of the metadata.
//
// Owned by the node. One loop on each shard for its partitions, one on shard 0 for the directories; stop() ends all.
#pragma once

#include <memory>
#include <vector>

#include "broker/broker.h"
#include "broker/clock_watch.h"
#include "runtime/scope.h"

namespace moldau::broker {

class Maintenance {
 public:
  Maintenance(Broker& broker, ClockWatch& clock);
  ~Maintenance();

  // On shard 0, once the partitions are open.
  [[nodiscard]] runtime::task<void> start();
  [[nodiscard]] runtime::task<void> stop();

 private:
  struct OfShard;
  Broker& broker_;
  ClockWatch& clock_;
  std::vector<std::unique_ptr<OfShard>> shards_;
};

}  // namespace moldau::broker
