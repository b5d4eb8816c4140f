// Scrubber: reads what nobody reads. It goes through the inactive segments of a node's logs, one segment of each log in turn,
// within moldau.scrub.bytes.per.second, and has each examined (storage/segment_examination.h).
//
// Made by the node with its broker, started once the logs are open, stopped before they are closed. One task on each shard for
// the logs that live there, under one budget for all; the work on bytes runs off the shard. docs/internals/scrubbing.md.
#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "broker/broker.h"
#include "broker/io_throttle.h"

namespace moldau::broker {

class ShardScrubber;

class Scrubber {
 public:
  explicit Scrubber(Broker& broker);
  ~Scrubber();

  // On shard 0.
  [[nodiscard]] runtime::task<void> start();
  [[nodiscard]] runtime::task<void> stop();
  // The settings of the brokers changed; on shard 0.
  [[nodiscard]] runtime::task<void> take_settings();
  [[nodiscard]] runtime::task<std::vector<MetricFamily>> describe();

  [[nodiscard]] ShardScrubber& of(const BrokerShard& shard) { return *shards_[static_cast<size_t>(shard.shard.index())]; }

 private:
  Broker& broker_;
  IoThrottle throttle_;
  std::vector<std::unique_ptr<ShardScrubber>> shards_;
  bool started_ = false;
};

}  // namespace moldau::broker
