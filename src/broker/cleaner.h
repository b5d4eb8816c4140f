// Cleaner: compaction of a node's logs by the clock. Its workers look for the filthiest log of all shards, have its home
// shard clean it, write the checkpoint, and look again; when nothing is due they wait for log.cleaner.backoff.ms.
//
// Made by the node before it loads its logs, started once they are open, stopped before they are closed. Workers live on
// shard 0 and wait; the work itself runs where the log lives and, but for waiting, off that shard (see
// storage/compaction/log_cleaning.h). Kafka: LogCleaner.
#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "broker/cleaner_settings.h"
#include "broker/shard_cleaner.h"
#include "runtime/scope.h"

namespace moldau::broker {

class Cleaner {
 public:
  explicit Cleaner(Broker& broker);
  ~Cleaner();

  // On shard 0.
  [[nodiscard]] runtime::task<void> start();
  [[nodiscard]] runtime::task<void> stop();
  // The settings of the brokers changed; on shard 0.
  void take_settings();
  [[nodiscard]] runtime::task<std::vector<MetricFamily>> describe();

  [[nodiscard]] ShardCleaner& of(const BrokerShard& shard) { return *shards_[static_cast<size_t>(shard.shard.index())]; }

 private:
  runtime::task<void> work(int64_t index);
  runtime::task<bool> clean_filthiest();
  runtime::task<void> write_checkpoints();
  void start_missing_workers();

  Broker& broker_;
  IoThrottle throttle_;
  std::vector<std::unique_ptr<ShardCleaner>> shards_;
  CleanerSettings settings_;
  int64_t running_workers_ = 0;
  bool started_ = false;
  bool stopping_ = false;
  runtime::Signal wake_;
  runtime::Mutex choosing_;
  runtime::Mutex writing_;
  runtime::Scope workers_;
  int64_t last_survey_ms_ = 0;
  double max_dirty_ratio_ = 0;
  int64_t max_delay_ms_ = 0;
};

}  // namespace moldau::broker
