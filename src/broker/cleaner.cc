#include "broker/cleaner.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/log.h"
#include "broker/directory_set.h"
#include "broker/gather.h"

namespace moldau::broker {

using runtime::task;

Cleaner::Cleaner(Broker& broker) : broker_(broker) {
  for (const auto& shard : broker.shards) shards_.push_back(std::make_unique<ShardCleaner>(*shard, throttle_));
}
Cleaner::~Cleaner() = default;

task<void> Cleaner::start() {
  if (!broker_.config.logs.log_cleaner_enable) co_return;
  co_await gather_all(broker_, [this](BrokerShard& shard) {
    of(shard).load_checkpoints();
    return runtime::ready();
  });
  started_ = true;
  last_survey_ms_ = broker_.wall_clock_ms();
  take_settings();
}

task<void> Cleaner::stop() {
  stopping_ = true;
  wake_.notify_all();
  co_await gather_all(broker_, [this](BrokerShard& shard) { return of(shard).stop(); });
  co_await workers_.join();
}

void Cleaner::take_settings() {
  if (!started_ || stopping_) return;
  settings_ = cleaner_settings(broker_, *broker_.first_shard().image);
  throttle_.set_bytes_per_second(settings_.io_max_bytes_per_second);
  start_missing_workers();
  wake_.notify_all();
}

void Cleaner::start_missing_workers() {
  while (running_workers_ < settings_.workers) workers_.spawn(work(running_workers_++));
}

// Of too many workers the last ones end.
task<void> Cleaner::work(int64_t index) {
  while (!stopping_ && index < settings_.workers) {
    if (co_await clean_filthiest()) continue;
    const runtime::Shard& shard = broker_.first_shard().shard;
    const int64_t deadline_us = shard.now_us() + std::clamp<int64_t>(settings_.backoff_ms, 1, INT64_MAX / 4000) * 1000;
    if (!stopping_ && index < settings_.workers) (void)co_await wake_.wait_until(deadline_us);
  }
  --running_workers_;
  if (!stopping_) start_missing_workers();
}

task<bool> Cleaner::clean_filthiest() {
  std::optional<ShardCleaner::Candidate> filthiest;
  {
    // One at a time, so that two workers do not choose the same log.
    const auto turn = co_await choosing_.lock();
    const int64_t now_ms = broker_.clock.now_ms();
    std::vector<ShardCleaner::Survey> surveys(broker_.shards.size());
    co_await gather_all(broker_, [&](BrokerShard& shard) -> task<void> {
      return [](ShardCleaner& of, int64_t at_ms, ShardCleaner::Survey& into) -> task<void> {
        into = co_await of.survey(at_ms);
      }(of(shard), now_ms, surveys[static_cast<size_t>(shard.shard.index())]);
    });
    last_survey_ms_ = now_ms;
    max_dirty_ratio_ = 0;
    max_delay_ms_ = 0;
    for (const ShardCleaner::Survey& survey : surveys) {
      max_dirty_ratio_ = std::max(max_dirty_ratio_, survey.max_dirty_ratio);
      max_delay_ms_ = std::max(max_delay_ms_, survey.max_delay_ms);
      if (survey.filthiest && (!filthiest || survey.filthiest->dirty_ratio > filthiest->dirty_ratio)) filthiest = survey.filthiest;
    }
    if (!filthiest || stopping_) co_return false;
    BrokerShard& home = broker_.home_of(filthiest->key.topic_id, filthiest->key.partition);
    const bool is_reserved = co_await runtime::call_on(home.shard, [&] { return runtime::ready(of(home).reserve(filthiest->key)); });
    if (!is_reserved) co_return !stopping_;
  }
  storage::CleaningTerms terms;
  terms.map = settings_.map_limits();
  terms.io_buffer_bytes = settings_.block_bytes();
  terms.turn_bytes = settings_.turn_bytes();
  BrokerShard& home = broker_.home_of(filthiest->key.topic_id, filthiest->key.partition);
  const bool is_cleaned =
      co_await runtime::call_on(home.shard, [&] { return of(home).clean(*filthiest, terms); });
  if (is_cleaned) co_await write_checkpoints();
  co_return is_cleaned;
}

task<void> Cleaner::write_checkpoints() {
  // What lies below a log start was not compacted with the rest. If a crash took the log start back behind the cleaner's checkpoint,
  // records there would be taken for clean, and outlive the tombstones that deleted them.
  co_await broker_.directories->checkpoint_recovery_points(broker_);
  const auto turn = co_await writing_.lock();
  std::vector<std::vector<ShardCleaner::Checkpoint>> of_shards(broker_.shards.size());
  co_await gather_all(broker_, [&](BrokerShard& shard) {
    of_shards[static_cast<size_t>(shard.shard.index())] = of(shard).checkpoints();
    return runtime::ready();
  });
  std::map<std::string, std::vector<storage::PartitionOffset>> by_directory;
  for (auto& checkpoints : of_shards)
    for (ShardCleaner::Checkpoint& checkpoint : checkpoints)
      by_directory[checkpoint.log_dir].push_back(std::move(checkpoint.offset));
  for (const auto& directory : broker_.directories->directories()) {
    std::vector<storage::PartitionOffset>& offsets = by_directory[directory->path()];
    std::ranges::sort(offsets, {}, [](const storage::PartitionOffset& entry) { return std::tie(entry.topic, entry.partition); });
    if (directory->files->is_offline() || offsets == directory->written_cleaner_offsets) continue;
    if (const auto written = co_await directory->files->write_cleaner_offsets(offsets))
      directory->written_cleaner_offsets = std::move(offsets);
    else
      log_error("{}", written.error().message);
  }
}

// --- metrics ---

task<std::vector<MetricFamily>> Cleaner::describe() {
  std::vector<std::vector<ShardCleaner::Measured>> of_shards(broker_.shards.size());
  co_await gather_all(broker_, [&](BrokerShard& shard) {
    of_shards[static_cast<size_t>(shard.shard.index())] = of(shard).measured();
    return runtime::ready();
  });
  std::vector<MetricFamily> all;
  const auto gauge = [&all](std::string name, std::string help) -> MetricFamily& {
    return all.emplace_back(MetricFamily{.name = std::move(name), .help = std::move(help), .kind = MetricKind::gauge});
  };
  const auto one = [&](std::string name, std::string help, double value) {
    gauge(std::move(name), std::move(help)).samples.push_back({.value = value});
  };
  const auto labels = [](const ShardCleaner::Measured& log) {
    return MetricLabels{{"topic", log.topic}, {"partition", std::to_string(log.partition)}};
  };
  one("moldau_cleaner_seconds_since_last_run", "Since the cleaner last looked for a log to compact.",
      static_cast<double>(std::max<int64_t>(broker_.wall_clock_ms() - last_survey_ms_, 0)) / 1000);
  one("moldau_cleaner_max_dirty_ratio", "Of the filthiest log, as of the last look.", max_dirty_ratio_);
  one("moldau_cleaner_max_compaction_delay_seconds", "How long the latest log waits beyond its max.compaction.lag.ms.",
      static_cast<double>(max_delay_ms_) / 1000);
  MetricFamily ratios{.name = "moldau_log_dirty_ratio", .help = "Part of a compacted log that waits for compaction.", .kind = MetricKind::gauge, .samples = {}};
  MetricFamily bytes{.name = "moldau_log_cleanable_bytes", .help = "Bytes of a compacted log that wait for compaction.", .kind = MetricKind::gauge, .samples = {}};
  MetricFamily aside{.name = "moldau_log_uncleanable", .help = "1 for a log that cannot be compacted and is set aside.", .kind = MetricKind::gauge, .samples = {}};
  double uncleanable = 0;
  for (const auto& logs : of_shards) {
    for (const ShardCleaner::Measured& log : logs) {
      ratios.samples.push_back({.labels = labels(log), .value = log.dirty_ratio});
      bytes.samples.push_back({.labels = labels(log), .value = static_cast<double>(log.cleanable_bytes)});
      if (log.set_aside_because.empty()) continue;
      ++uncleanable;
      MetricLabels with_reason = labels(log);
      with_reason.emplace_back("reason", log.set_aside_because);
      aside.samples.push_back({.labels = std::move(with_reason), .value = 1});
    }
  }
  all.push_back(std::move(ratios));
  all.push_back(std::move(bytes));
  all.push_back(std::move(aside));
  one("moldau_cleaner_uncleanable_partitions", "Partitions that cannot be compacted and are set aside.", uncleanable);
  co_return all;
}

}  // namespace moldau::broker
