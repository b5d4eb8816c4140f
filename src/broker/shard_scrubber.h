// ShardScrubber: the scrubber's work on the logs of one shard. A pass takes one inactive segment of each log in turn until all
// have been through, beginning with any log, so that a node that is often started again does not always read the same ones.
//
// Owned by the Scrubber, used on its shard.
#pragma once

#include <optional>
#include <unordered_map>

#include "broker/broker_shard.h"
#include "broker/io_throttle.h"
#include "runtime/scope.h"

namespace moldau::broker {

struct ScrubSettings {
  int64_t bytes_per_second = 0;  // 0: off
  int64_t interval_ms = 0;       // from the beginning of a pass to that of the next
};

class ShardScrubber {
 public:
  ShardScrubber(BrokerShard& shard, IoThrottle& throttle);

  void start();
  // Ends the work; what was found stays.
  runtime::task<void> stop();
  void take_settings(ScrubSettings settings);
  // Ends the work on a partition's log that is about to be closed; it must be out of the shard's partitions already, or another log
  // in its place.
  runtime::task<void> release(PartitionKey key);
  // When the last pass ended; when it was started, before that.
  [[nodiscard]] int64_t last_pass_ms() const { return last_pass_ms_; }

 private:
  runtime::task<void> run();
  // False: it was stopped before the end.
  runtime::task<bool> pass();
  // Examines the first inactive segment above `after`; null if there is none.
  runtime::task<std::optional<Offset>> scrub_next(PartitionKey key, Offset after);
  [[nodiscard]] bool must_stop() const { return stopping_ || settings_.bytes_per_second <= 0 || asked_to_leave_; }
  runtime::task<void> wait_for_io(uint64_t bytes);

  BrokerShard& shard_;
  IoThrottle& throttle_;
  ScrubSettings settings_;
  int64_t last_pass_ms_;
  bool stopping_ = false;
  std::optional<PartitionKey> current_;  // whose segment is examined now
  bool asked_to_leave_ = false;          // it
  runtime::Signal changed_;
  runtime::Scope work_;
  Counter* bytes_;
  Counter* segments_;
};

}  // namespace moldau::broker
