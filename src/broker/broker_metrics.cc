#include "broker/broker_metrics.h"

#include "broker/cleaner.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/group_host.h"
#include "broker/log_bytes.h"
#include "broker/replica_mover.h"
#include "broker/partition.h"
#include "broker/partition_requests.h"
#include "broker/scrubber.h"
#include "protocol/record_batch.h"

namespace moldau::broker {

using runtime::task;

namespace {

struct LogFacts {
  std::string topic;
  int32_t partition = 0;
  uint64_t size_bytes = 0;
  int64_t start_offset = 0;
  int64_t end_offset = 0;
  uint64_t segments = 0;
};

struct GroupOffset {
  std::string group;
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t lag_records = 0;
  double lag_seconds = 0;
};

struct ShardFacts {
  std::vector<LogFacts> logs;
  std::vector<GroupOffset> offsets;
  groups::GroupStats groups;
};

task<void> look_at(BrokerShard& shard, ShardFacts& facts) {
  for (const auto& [key, partition] : shard.partitions) {
    const storage::Log& log = partition->log();
    facts.logs.push_back({.topic = partition->topic(),
                          .partition = partition->index(),
                          .size_bytes = log.size_bytes(),
                          .start_offset = log.log_start_offset().value(),
                          .end_offset = log.log_end_offset().value(),
                          .segments = log.segment_count()});
  }
  for (const auto& [index, host] : shard.groups) {
    host->coordinator().for_each_offset([&](const std::string& group, const std::string& topic, int32_t partition,
                                            const groups::CommittedOffset& committed) {
      facts.offsets.push_back({.group = group, .topic = topic, .partition = partition, .offset = committed.offset});
    });
    const groups::GroupStats stats = host->coordinator().stats();
    for (size_t i = 0; i < std::size(stats.classic_by_state); ++i) facts.groups.classic_by_state[i] += stats.classic_by_state[i];
    facts.groups.members += stats.members;
    facts.groups.completed_rebalances += stats.completed_rebalances;
  }
  return runtime::ready();
}

// The time of the first batch that ends at the offset or later; its records are at most that old.
task<void> measure_age(Partition& partition, GroupOffset& offset, int64_t now_ms) {
  const std::shared_ptr<storage::Log> held = partition.shared_log();
  storage::Log& log = *held;
  const Offset from = std::max(Offset(offset.offset), log.log_start_offset());
  offset.lag_records = std::max<int64_t>(log.high_watermark() - Offset(offset.offset), 0);
  if (from >= log.high_watermark()) co_return;
  Bytes bytes;
  const auto read = co_await read_log_bytes(log, from, protocol::record_batch_header_bytes, bytes);
  if (!read || bytes.size() < protocol::record_batch_header_bytes) co_return;
  const int64_t timestamp_ms = protocol::read_batch_header(bytes).max_timestamp_ms;
  if (timestamp_ms >= 0) offset.lag_seconds = static_cast<double>(std::max<int64_t>(now_ms - timestamp_ms, 0)) / 1000;
}

task<void> measure_lag(Broker& broker, std::vector<GroupOffset>& offsets) {
  const metadata::MetadataImagePtr image = broker.first_shard().image;
  std::vector<PartitionCall> calls;
  for (GroupOffset& offset : offsets) {
    const metadata::Topic* topic = image->find_topic(offset.topic);
    if (topic == nullptr || topic->find(offset.partition) == nullptr) continue;
    calls.push_back({.access = security::Authorized::as_node(),
                     .key = {topic->id, offset.partition},
                     .answer = [&offset, now_ms = broker.wall_clock_ms()](Partition& partition) { return measure_age(partition, offset, now_ms); },
                     .refuse = [](protocol::ErrorCode) {}});
  }
  co_await call_partitions(broker, std::move(calls));
}

MetricFamily& family(std::vector<MetricFamily>& all, std::string name, std::string help) {
  return all.emplace_back(MetricFamily{.name = std::move(name), .help = std::move(help), .kind = MetricKind::gauge});
}

void add_logs(std::vector<MetricFamily>& all, const std::vector<LogFacts>& logs) {
  const auto add = [&](std::string name, std::string help, auto value) {
    MetricFamily& to = family(all, std::move(name), std::move(help));
    for (const LogFacts& log : logs)
      to.samples.push_back({.labels = {{"topic", log.topic}, {"partition", std::to_string(log.partition)}}, .value = static_cast<double>(log.*value)});
  };
  add("moldau_log_size_bytes", "Size of a partition's segments.", &LogFacts::size_bytes);
  add("moldau_log_start_offset", "First offset of a partition.", &LogFacts::start_offset);
  add("moldau_log_end_offset", "Offset that the next record of a partition gets.", &LogFacts::end_offset);
  add("moldau_log_segments", "Segments of a partition.", &LogFacts::segments);
}

void add_groups(std::vector<MetricFamily>& all, const std::vector<GroupOffset>& offsets, const groups::GroupStats& stats) {
  const auto add = [&](std::string name, std::string help, auto value) {
    MetricFamily& to = family(all, std::move(name), std::move(help));
    for (const GroupOffset& offset : offsets)
      to.samples.push_back({.labels = {{"group", offset.group}, {"topic", offset.topic}, {"partition", std::to_string(offset.partition)}},
                            .value = static_cast<double>(offset.*value)});
  };
  add("moldau_group_committed_offset", "Offset that a group has committed.", &GroupOffset::offset);
  add("moldau_group_lag_records", "Records that a group has not read.", &GroupOffset::lag_records);
  add("moldau_group_lag_seconds", "Age of the first record that a group has not read.", &GroupOffset::lag_seconds);
  static constexpr const char* states[] = {"empty", "preparing_rebalance", "completing_rebalance", "stable", "dead"};
  MetricFamily& groups = family(all, "moldau_groups", "Classic groups by state.");
  for (size_t i = 0; i < std::size(states); ++i)
    groups.samples.push_back({.labels = {{"state", states[i]}}, .value = static_cast<double>(stats.classic_by_state[i])});
  family(all, "moldau_group_members", "Members of classic groups.").samples.push_back({.value = static_cast<double>(stats.members)});
}

}  // namespace

task<std::vector<MetricFamily>> describe_broker(Broker& broker) {
  std::vector<ShardFacts> of_shard(broker.shards.size());
  co_await gather_all(broker, [&](BrokerShard& shard) { return look_at(shard, of_shard[static_cast<size_t>(shard.shard.index())]); });
  ShardFacts facts;
  for (ShardFacts& part : of_shard) {
    facts.logs.insert(facts.logs.end(), std::make_move_iterator(part.logs.begin()), std::make_move_iterator(part.logs.end()));
    facts.offsets.insert(facts.offsets.end(), std::make_move_iterator(part.offsets.begin()), std::make_move_iterator(part.offsets.end()));
    for (size_t i = 0; i < std::size(part.groups.classic_by_state); ++i) facts.groups.classic_by_state[i] += part.groups.classic_by_state[i];
    facts.groups.members += part.groups.members;
  }
  co_await measure_lag(broker, facts.offsets);
  std::vector<MetricFamily> all;
  family(all, "moldau_clock_ahead_seconds", "How far the wall clock has jumped ahead, while nothing is deleted by it; 0: it is believed.")
      .samples.push_back({.value = static_cast<double>(broker.clock.ahead_ms()) / 1000});
  MetricFamily& last_stops = family(all, "moldau_log_directory_last_stop", "How the run before this one ended in a log directory.");
  for (const auto& directory : broker.directories->directories())
    last_stops.samples.push_back({.labels = {{"directory", directory->path()}, {"how", std::string(directory->files->last_stop())}}, .value = 1});
  add_logs(all, facts.logs);
  add_groups(all, facts.offsets, facts.groups);
  for (MetricFamily& family_of_cleaner : co_await broker.cleaner->describe()) all.push_back(std::move(family_of_cleaner));
  for (MetricFamily& family_of_scrubber : co_await broker.scrubber->describe()) all.push_back(std::move(family_of_scrubber));
  for (MetricFamily& family_of_mover : co_await broker.mover->describe()) all.push_back(std::move(family_of_mover));
  co_return all;
}

}  // namespace moldau::broker
