#include "broker/apply_metadata.h"

#include <cerrno>

#include "base/log.h"
#include "broker/cleaner.h"
#include "broker/directory_assignments.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/group_host.h"
#include "broker/group_routing.h"
#include "broker/partition.h"
#include "broker/replica_mover.h"
#include "broker/scrubber.h"
#include "broker/shard_scrubber.h"
#include "broker/topic_settings.h"

namespace moldau::broker {

using metadata::MetadataChanges;
using metadata::MetadataImage;
using runtime::task;

namespace {

bool is_replica(const metadata::Partition& partition, NodeId node) {
  return std::ranges::find(partition.replicas, node.value()) != partition.replicas.end();
}

task<void> start_group_host(BrokerShard& shard, Partition& partition) {
  auto host = std::make_unique<GroupHost>(shard.broker.environment, group_config(shard.broker.config), partition);
  GroupHost& started = *host;
  shard.groups.emplace(partition.index(), std::move(host));
  co_await started.load();
}

task<void> stop_group_host(BrokerShard& shard, int32_t partition) {
  if (auto host = shard.groups.extract(partition); !host.empty()) co_await host.mapped()->stop();
}

void set_durability(BrokerShard& shard, Partition& partition, const metadata::TopicConfig& config) {
  partition.set_commits(config.durable_acks ? &shard.commits_of(partition.log()) : nullptr);
}

Uuid directory_of(const metadata::Partition& partition, NodeId node) {
  const auto at = static_cast<size_t>(std::ranges::find(partition.replicas, node.value()) - partition.replicas.begin());
  return at < partition.directories.size() ? partition.directories[at] : metadata::unassigned_directory;
}

// The controller is told where the log lies, if it has something else in the metadata.
task<void> note_directory(BrokerShard& shard, const metadata::Partition& described, PartitionKey key, const storage::Log& log) {
  const Uuid directory = shard.broker.directories->find(log.log_dir())->id;
  if (directory_of(described, shard.broker.config.node_id) == directory) return runtime::ready();
  return runtime::call_on(shard.broker.first_shard().shard, [&broker = shard.broker, key, directory] {
    broker.assignments->note(key, directory);
    return runtime::ready();
  });
}

task<void> open_partition(BrokerShard& shard, const metadata::Topic& topic, const metadata::Partition& described,
                          const metadata::TopicConfig& config, bool is_new) {
  const PartitionKey key{topic.id, described.index};
  auto opened_log = co_await shard.broker.directories->open_log(
      shard, {.topic = topic.name,
              .topic_id = topic.id,
              .partition = described.index,
              .directory = directory_of(described, shard.broker.config.node_id),
              .is_new = is_new,
              .config = log_config(config)});
  if (!opened_log) {
    const storage::Error& error = opened_log.error();
    const bool is_worth_a_try = error.io_error_number == ENOSPC || error.io_error_number == EDQUOT;
    log_error("cannot open {}-{}{}: {}", topic.name, described.index, is_worth_a_try ? ", which is tried again" : "", error.message);
    shard.unopened[key] = is_worth_a_try;
    co_return;  // the partition is offline: clients get KAFKA_STORAGE_ERROR or are sent to look again
  }
  shard.unopened.erase(key);
  std::shared_ptr<storage::Log> shared = std::move(opened_log->log);
  // With flush.messages or moldau.durable.acks nobody is shown what a power cut could take; what a killed process left is no
  // exception, and was shown before, so that it must not be hidden for a while either.
  const int64_t unflushed = shared->log_end_offset() - shared->recovery_point();
  if (unflushed >= shared->config().flush_messages || (config.durable_acks && unflushed > 0)) {
    if (const auto flushed = co_await shared->flush(); !flushed) log_error("{}", flushed.error().message);
  }
  co_await note_directory(shard, described, key, *shared);
  shared->note_epoch_start(LeaderEpoch(described.leader_epoch));
  auto partition = std::make_shared<Partition>(Partition::Identity{.topic = topic.name,
                                                                   .topic_id = topic.id,
                                                                   .index = described.index,
                                                                   .leader_epoch = described.leader_epoch,
                                                                   .min_insync_replicas = config.min_insync_replicas},
                                               std::move(shared), shard.partition_metrics(topic.name, described.index));
  Partition& opened = *partition;
  set_durability(shard, opened, config);
  opened.advance(opened.log().log_end_offset());
  shard.partitions.emplace(key, std::move(partition));
  if (opened_log->future) co_await shard.broker.mover->of(shard).resume(opened, std::move(opened_log->future));
  if (topic.name == offsets_topic_name) co_await start_group_host(shard, opened);
}

void update_partition(Partition& partition, const metadata::Partition& described) {
  if (partition.leader_epoch() == described.leader_epoch) return;
  partition.set_leader_epoch(described.leader_epoch);
  partition.log().note_epoch_start(LeaderEpoch(described.leader_epoch));
  partition.fire_watches();  // who waits is told of the new epoch
}

task<void> drop_partition(BrokerShard& shard, PartitionKey key) {
  shard.unopened.erase(key);
  const auto found = shard.partitions.find(key);
  if (found == shard.partitions.end()) co_return;
  if (found->second->topic() == offsets_topic_name) co_await stop_group_host(shard, key.partition);
  const std::shared_ptr<Partition> partition = std::move(shard.partitions.extract(key).mapped());
  partition->retire();
  co_await shard.broker.mover->of(shard).release(key);
  co_await shard.broker.cleaner->of(shard).release(key);
  co_await shard.broker.scrubber->of(shard).release(key);
  co_await shard.broker.directories->delete_log(shard, partition->shared_log());
}

struct ToOpen {
  const metadata::Topic* topic;
  const metadata::Partition* described;
  std::shared_ptr<const metadata::TopicConfig> config;
  bool is_new;
};

task<void> open_next(BrokerShard& shard, const std::vector<ToOpen>& wanted, size_t& next) {
  while (next < wanted.size()) {
    const ToOpen& one = wanted[next++];
    co_await open_partition(shard, *one.topic, *one.described, *one.config, one.is_new);
  }
}

// New logs are made one by one, so that each goes where the fewest lie; those that are there are opened several at a time,
// for a disk answers many questions nearly as soon as one.
task<void> open_partitions(BrokerShard& shard, const std::vector<ToOpen>& wanted) {
  constexpr int opened_at_once = 8;
  const bool makes_new = std::ranges::any_of(wanted, &ToOpen::is_new);
  size_t next = 0;
  runtime::Scope openers;
  for (int i = 0; i < (makes_new ? 1 : opened_at_once); ++i) openers.spawn(open_next(shard, wanted, next));
  co_await openers.join();
}

task<void> apply_topics(BrokerShard& shard, const MetadataImage& image, const MetadataChanges& changes, bool at_start) {
  std::vector<ToOpen> wanted;
  for (const auto& [id, change] : changes.topics) {
    const metadata::Topic* topic = image.find_topic(id);
    if (topic == nullptr) continue;
    std::shared_ptr<const metadata::TopicConfig> config;
    for (const metadata::Partition& described : topic->partitions) {
      if (!change.is_new && !change.partitions.contains(described.index)) continue;
      if (&shard.broker.home_of(id, described.index) != &shard || !is_replica(described, shard.broker.config.node_id)) continue;
      if (Partition* partition = shard.find(id, described.index)) {
        update_partition(*partition, described);
        // Its directory has failed: the groups are known nowhere until it is mended.
        if (partition->log().is_offline() && topic->name == offsets_topic_name) co_await stop_group_host(shard, described.index);
        continue;
      }
      if (!config) config = std::make_shared<metadata::TopicConfig>(topic_config(shard, image, topic->name));
      // A partition that was there before may have a log in a directory that is away.
      const bool is_new = !at_start && !shard.unopened.contains({id, described.index});
      wanted.push_back({topic, &described, config, is_new});
    }
  }
  if (!wanted.empty()) co_await open_partitions(shard, wanted);
}

// A changed setting of a broker may change every topic.
void apply_configs(BrokerShard& shard, const MetadataImage& image, const MetadataChanges& changes, bool all) {
  for (const auto& [key, partition] : shard.partitions) {
    const metadata::ConfigResource resource{metadata::ResourceType::topic, partition->topic()};
    if (!all && !changes.configs.contains(resource)) continue;
    const metadata::TopicConfig config = topic_config(shard, image, partition->topic());
    partition->log().update_config(log_config(config));
    partition->set_min_insync_replicas(config.min_insync_replicas);
    set_durability(shard, *partition, config);
  }
}

task<void> apply_on(BrokerShard& shard, const metadata::PublishedMetadata& published) {
  const MetadataChanges& changes = published.changes;
  const bool is_first = shard.image == nullptr;
  const auto is_of_broker = [](const metadata::ConfigResource& resource) { return resource.type == metadata::ResourceType::broker; };
  const bool defaults_changed = std::ranges::any_of(changes.configs, is_of_broker);
  shard.image = published.image;
  if (is_first || defaults_changed) {
    shard.topic_defaults = topic_defaults(shard.broker, *published.image);
  }
  if ((is_first || defaults_changed || changes.features) && &shard == &shard.broker.first_shard() && shard.broker.on_broker_configs)
    shard.broker.on_broker_configs(*published.image);
  {
    const auto turn = co_await shard.opening.lock();
    for (const metadata::TopicPtr& topic : changes.deleted_topics)
      for (const metadata::Partition& partition : topic->partitions) {
        shard.retire_metrics(topic->name, {topic->id, partition.index});
        co_await drop_partition(shard, {topic->id, partition.index});
      }
    co_await apply_topics(shard, *published.image, changes, is_first);
  }
  if (!changes.configs.empty()) apply_configs(shard, *published.image, changes, defaults_changed);
  if ((is_first || defaults_changed) && &shard == &shard.broker.first_shard()) shard.broker.mover->take_settings(*published.image);
  if (defaults_changed && &shard == &shard.broker.first_shard()) {
    shard.broker.cleaner->take_settings();
    co_await shard.broker.scrubber->take_settings();
  }
  if (changes.deleted_topics.empty()) co_return;
  std::vector<groups::DeletedTopic> deleted;
  for (const metadata::TopicPtr& topic : changes.deleted_topics) deleted.push_back({topic->name, topic->id});
  for (const auto& [partition, host] : shard.groups) host->topics_deleted(deleted);
}

}  // namespace

task<void> retry_unopened(BrokerShard& shard) {
  if (shard.unopened.empty()) co_return;
  const auto turn = co_await shard.opening.lock();
  std::vector<PartitionKey> keys;
  for (const auto& [key, is_worth_a_try] : shard.unopened)
    if (is_worth_a_try) keys.push_back(key);
  for (const PartitionKey& key : keys) {
    const metadata::MetadataImagePtr image = shard.image;
    const metadata::Topic* topic = image->find_topic(key.topic_id);
    const metadata::Partition* described = topic == nullptr ? nullptr : topic->find(key.partition);
    if (described == nullptr) continue;
    co_await open_partition(shard, *topic, *described, topic_config(shard, *image, topic->name), false);
    if (shard.find(key.topic_id, key.partition) != nullptr) log_info("{}-{} could be opened now", topic->name, key.partition);
  }
}

task<void> apply_metadata(Broker& broker, std::shared_ptr<const metadata::PublishedMetadata> published) {
  co_await gather_all(broker, [&published](BrokerShard& shard) { return apply_on(shard, *published); });
}

}  // namespace moldau::broker
