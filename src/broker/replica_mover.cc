#include "broker/replica_mover.h"

#include <charconv>

#include "broker/directory_set.h"
#include "broker/gather.h"

namespace moldau::broker {

using runtime::task;

static constexpr const char* rate_key = "replica.alter.log.dirs.io.max.bytes.per.second";

ReplicaMover::ReplicaMover(Broker& broker) : broker_(broker) {
  for (const auto& shard : broker.shards) shards_.push_back(std::make_unique<ShardMover>(*shard, throttle_));
}
ReplicaMover::~ReplicaMover() = default;

task<void> ReplicaMover::start() {
  co_await gather_all(broker_, [this](BrokerShard& shard) {
    of(shard).start();
    return runtime::ready();
  });
}

task<void> ReplicaMover::stop() {
  co_await gather_all(broker_, [this](BrokerShard& shard) { return of(shard).stop(); });
}

// Of this broker, else of all: the key is set with kafka-configs and stands in no file, as in Kafka.
void ReplicaMover::take_settings(const metadata::MetadataImage& image) {
  int64_t rate = INT64_MAX;
  for (const std::string& name : {std::string(), std::to_string(broker_.config.node_id.value())}) {
    const auto& configs = image.find_configs(metadata::ResourceType::broker, name);
    if (const auto found = configs.find(rate_key); found != configs.end())
      (void)std::from_chars(found->second.data(), found->second.data() + found->second.size(), rate);
  }
  throttle_.set_bytes_per_second(static_cast<double>(rate));
}

task<std::vector<MetricFamily>> ReplicaMover::describe() {
  struct Lag {
    MetricLabels labels;
    double records = 0;
  };
  std::vector<std::vector<Lag>> of_shards(broker_.shards.size());
  co_await gather_all(broker_, [&](BrokerShard& shard) {
    for (const ShardMover::View& move : of(shard).moves())
      of_shards[static_cast<size_t>(shard.shard.index())].push_back(
          {{{"topic", move.future->topic()}, {"partition", std::to_string(move.future->partition())}, {"directory", move.future->log_dir()}},
           static_cast<double>(move.lag)});
    return runtime::ready();
  });
  const auto gauge = [](std::string name, std::string help) {
    return MetricFamily{.name = std::move(name), .help = std::move(help), .kind = MetricKind::gauge, .samples = {}};
  };
  MetricFamily lags = gauge("moldau_future_replica_lag_records", "Records of a partition that its copy in another directory lacks.");
  for (const auto& shard : of_shards)
    for (const Lag& lag : shard) lags.samples.push_back({.labels = lag.labels, .value = lag.records});
  MetricFamily offline = gauge("moldau_log_directory_offline", "1 for an entry of log.dirs that has failed.");
  MetricFamily count = gauge("moldau_offline_log_directories", "Entries of log.dirs that have failed.");
  MetricFamily cordoned = gauge("moldau_log_directory_cordoned", "1 for an entry of log.dirs where nothing new is placed.");
  double failed = 0;
  for (const auto& directory : broker_.directories->directories()) {
    failed += directory->is_offline() ? 1 : 0;
    offline.samples.push_back({.labels = {{"directory", directory->path()}}, .value = directory->is_offline() ? 1.0 : 0.0});
    cordoned.samples.push_back({.labels = {{"directory", directory->path()}}, .value = directory->is_cordoned ? 1.0 : 0.0});
  }
  count.samples.push_back({.value = failed});
  std::vector<MetricFamily> all;
  for (MetricFamily* each : {&lags, &offline, &count, &cordoned}) all.push_back(std::move(*each));
  co_return all;
}

}  // namespace moldau::broker
