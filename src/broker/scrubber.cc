#include "broker/scrubber.h"

#include <algorithm>

#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/shard_scrubber.h"

namespace moldau::broker {

using runtime::task;

namespace {

ScrubSettings scrub_settings(const Broker& broker, const metadata::MetadataImage& image) {
  const auto& for_all = image.find_configs(metadata::ResourceType::broker, "");
  const auto& for_this = image.find_configs(metadata::ResourceType::broker, std::to_string(broker.config.node_id.value()));
  const metadata::ConfigMap keys = metadata::effective_broker_config(broker.given_config, for_all, for_this);
  return {metadata::node_integer(keys, "moldau.scrub.bytes.per.second"), metadata::node_integer(keys, "moldau.scrub.interval.ms")};
}

struct ShardFacts {
  int64_t last_pass_ms = 0;
  struct Damage {
    std::string topic;
    int32_t partition = 0;
    uint64_t ranges = 0;
    uint64_t bytes = 0;
    int64_t offsets = 0;
  };
  std::vector<Damage> damaged;
};

task<void> look_at(BrokerShard& shard, const ShardScrubber& scrubber, ShardFacts& into) {
  into.last_pass_ms = scrubber.last_pass_ms();
  for (const auto& [key, partition] : shard.partitions) {
    const storage::Log& log = partition->log();
    ShardFacts::Damage damage{log.topic(), log.partition()};
    for (const storage::QuarantinedRange& range : log.quarantined()) {
      ++damage.ranges;
      damage.bytes += range.size_bytes;
      damage.offsets += range.end_offset - range.first_offset;
    }
    if (damage.ranges > 0) into.damaged.push_back(std::move(damage));
  }
  return runtime::ready();
}

}  // namespace

Scrubber::Scrubber(Broker& broker) : broker_(broker) {
  for (const auto& shard : broker.shards) shards_.push_back(std::make_unique<ShardScrubber>(*shard, throttle_));
}
Scrubber::~Scrubber() = default;

task<void> Scrubber::start() {
  started_ = true;
  co_await take_settings();
  co_await gather_all(broker_, [this](BrokerShard& shard) {
    of(shard).start();
    return runtime::ready();
  });
}

task<void> Scrubber::stop() {
  started_ = false;
  co_await gather_all(broker_, [this](BrokerShard& shard) { return of(shard).stop(); });
}

task<void> Scrubber::take_settings() {
  if (!started_) co_return;
  const ScrubSettings settings = scrub_settings(broker_, *broker_.first_shard().image);
  throttle_.set_bytes_per_second(static_cast<double>(settings.bytes_per_second));
  co_await gather_all(broker_, [this, settings](BrokerShard& shard) {
    of(shard).take_settings(settings);
    return runtime::ready();
  });
}

task<std::vector<MetricFamily>> Scrubber::describe() {
  std::vector<ShardFacts> of_shards(broker_.shards.size());
  co_await gather_all(broker_, [&](BrokerShard& shard) {
    return look_at(shard, of(shard), of_shards[static_cast<size_t>(shard.shard.index())]);
  });
  const auto gauge = [](std::string name, std::string help) {
    return MetricFamily{.name = std::move(name), .help = std::move(help), .kind = MetricKind::gauge, .samples = {}};
  };
  MetricFamily age = gauge("moldau_scrub_seconds_since_last_pass",
                           "Since every inactive segment of the node had been verified; since the start, before that.");
  MetricFamily partitions = gauge("moldau_quarantined_partitions", "Partitions with records that are damaged on disk.");
  MetricFamily ranges = gauge("moldau_quarantined_ranges", "Damaged parts of a partition, which readers get CORRUPT_MESSAGE for.");
  MetricFamily bytes = gauge("moldau_quarantined_bytes", "Bytes of these parts.");
  MetricFamily offsets = gauge("moldau_quarantined_offsets", "Offsets that these parts held.");
  int64_t oldest_ms = INT64_MAX;
  double damaged = 0;
  for (const ShardFacts& shard : of_shards) {
    oldest_ms = std::min(oldest_ms, shard.last_pass_ms);
    for (const ShardFacts::Damage& damage : shard.damaged) {
      const MetricLabels labels{{"topic", damage.topic}, {"partition", std::to_string(damage.partition)}};
      ++damaged;
      ranges.samples.push_back({.labels = labels, .value = static_cast<double>(damage.ranges)});
      bytes.samples.push_back({.labels = labels, .value = static_cast<double>(damage.bytes)});
      offsets.samples.push_back({.labels = labels, .value = static_cast<double>(damage.offsets)});
    }
  }
  age.samples.push_back({.value = static_cast<double>(std::max<int64_t>(broker_.wall_clock_ms() - oldest_ms, 0)) / 1000});
  partitions.samples.push_back({.value = damaged});
  co_return std::vector<MetricFamily>{std::move(age), std::move(partitions), std::move(ranges), std::move(bytes), std::move(offsets)};
}

}  // namespace moldau::broker
