#include "broker/maintenance.h"

#include "base/log.h"
#include "broker/apply_metadata.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/quorum_host.h"

namespace moldau::broker {

using runtime::task;

namespace {

constexpr int64_t deleted_files_interval_ms = 5'000;
constexpr int64_t flush_interval_ms = 1'000;
constexpr int64_t retry_interval_ms = 5'000;
constexpr int64_t room_interval_ms = 1'000;
constexpr int64_t high_watermark_checkpoint_interval_ms = 5'000;  // replica.high.watermark.checkpoint.interval.ms
constexpr int64_t clock_interval_ms = 5'000;
constexpr int64_t quorum_interval_ms = 30'000;

// Calls `work` for each partition of the shard; partitions may come and go meanwhile.
template <class Work>
task<void> for_each_log(BrokerShard& shard, Work work) {
  std::vector<PartitionKey> keys;
  keys.reserve(shard.partitions.size());
  for (const auto& [key, partition] : shard.partitions) keys.push_back(key);
  for (const PartitionKey& key : keys) {
    const Partition* partition = shard.find(key.topic_id, key.partition);
    if (partition == nullptr) continue;
    const std::shared_ptr<storage::Log> log = partition->shared_log();
    if (!log->is_offline()) co_await work(*log);
    co_await runtime::yield();
  }
}

task<void> delete_old_segments(storage::Log& log) {
  const auto deleted = co_await log.delete_old_segments();
  if (!deleted) log_error("retention of {}-{}: {}", log.topic(), log.partition(), deleted.error().message);
}

task<void> flush_if_due(storage::Log& log, int64_t now_ms) {
  if (!log.is_flush_due(now_ms)) co_return;
  const auto flushed = co_await log.flush();
  if (!flushed) log_error("flush of {}-{}: {}", log.topic(), log.partition(), flushed.error().message);
}

task<void> remove_deleted(storage::Log& log, int64_t now_ms) {
  const auto removed = co_await log.remove_deleted_files(now_ms);
  if (!removed) log_warning("cannot remove deleted files of {}-{}: {}", log.topic(), log.partition(), removed.error().message);
}

}  // namespace

struct Maintenance::OfShard {
  explicit OfShard(BrokerShard& of) : shard(of) {}

  BrokerShard& shard;
  bool stopping = false;
  runtime::Signal stop_asked;
  runtime::Scope loops;

  // Calls `work()` every `interval_ms` until the node stops.
  template <class Work>
  task<void> every(int64_t interval_ms, Work work) {
    if (interval_ms <= 0 || interval_ms > INT64_MAX / 2000) co_return;
    while (true) {
      const int64_t deadline_us = shard.shard.now_us() + interval_ms * 1000;
      while (!stopping && shard.shard.now_us() < deadline_us) (void)co_await stop_asked.wait_until(deadline_us);
      if (stopping) co_return;
      co_await work();
    }
  }

  void start() {
    const Broker& broker = shard.broker;
    const metadata::LogDirsConfig& logs = broker.config.logs;
    loops.spawn(every(logs.log_retention_check_interval_ms, [this] { return for_each_log(shard, delete_old_segments); }));
    loops.spawn(every(flush_interval_ms, [this] {
      return for_each_log(shard, [now_ms = shard.broker.wall_clock_ms()](storage::Log& log) { return flush_if_due(log, now_ms); });
    }));
    loops.spawn(every(deleted_files_interval_ms, [this] {
      return for_each_log(shard, [now_ms = shard.broker.wall_clock_ms()](storage::Log& log) { return remove_deleted(log, now_ms); });
    }));
    loops.spawn(every(retry_interval_ms, [this] { return retry_unopened(shard); }));
    loops.spawn(every(logs.producer_id_expiration_check_interval_ms, [this] {
      return for_each_log(shard, [](storage::Log& log) {
        log.expire_producers();
        return runtime::ready();
      });
    }));
  }

  void start_node_wide(ClockWatch& clock) {
    Broker& broker = shard.broker;
    loops.spawn(every(room_interval_ms, [&broker] { return broker.directories->measure_room(); }));
    loops.spawn(every(high_watermark_checkpoint_interval_ms, [&broker] { return broker.directories->checkpoint_high_watermarks(broker); }));
    loops.spawn(every(broker.config.logs.log_flush_offset_checkpoint_interval_ms,
                      [&broker] { return broker.directories->checkpoint_recovery_points(broker); }));
    loops.spawn(every(deleted_files_interval_ms, [&broker] { return broker.directories->remove_deleted_partitions(); }));
    loops.spawn(every(clock_interval_ms, [&clock] { return clock.look(); }));
    loops.spawn(every(quorum_interval_ms, [&broker] {
      return runtime::call_on(broker.quorum_shard(), [&broker] { return broker.quorum->maintain(); });
    }));
  }

  task<void> stop() {
    stopping = true;
    stop_asked.notify_all();
    co_await loops.join();
  }
};

Maintenance::Maintenance(Broker& broker, ClockWatch& clock) : broker_(broker), clock_(clock) {
  for (const auto& shard : broker.shards) shards_.push_back(std::make_unique<OfShard>(*shard));
}
Maintenance::~Maintenance() = default;

task<void> Maintenance::start() {
  co_await gather_all(broker_, [this](BrokerShard& shard) {
    shards_[static_cast<size_t>(shard.shard.index())]->start();
    return runtime::ready();
  });
  co_await broker_.directories->measure_room();
  shards_.front()->start_node_wide(clock_);
}

task<void> Maintenance::stop() {
  co_await gather_all(broker_, [this](BrokerShard& shard) { return shards_[static_cast<size_t>(shard.shard.index())]->stop(); });
}

}  // namespace moldau::broker
