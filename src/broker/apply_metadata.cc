#include "broker/apply_metadata.h"

#include "base/log.h"
#include "broker/cleaner.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/group_host.h"
#include "broker/group_routing.h"
#include "broker/partition.h"
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

void set_durability(BrokerShard& shard, Partition& partition, const metadata::TopicConfig& config) {
  partition.set_commits(config.durable_acks ? &shard.commits_of(partition.log()) : nullptr);
}

task<void> open_partition(BrokerShard& shard, const metadata::Topic& topic, const metadata::Partition& described,
                          const metadata::TopicConfig& config) {
  auto log = co_await shard.broker.directories->open_log(shard, topic.name, topic.id, described.index, log_config(config));
  if (!log) {
    log_error("cannot open {}-{}: {}", topic.name, described.index, log.error().message);
    co_return;  // the partition is offline: clients get KAFKA_STORAGE_ERROR or are sent to look again
  }
  std::shared_ptr<storage::Log> shared = std::move(*log);
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
  shard.partitions.emplace(PartitionKey{topic.id, described.index}, std::move(partition));
  if (topic.name == offsets_topic_name) co_await start_group_host(shard, opened);
}

void update_partition(Partition& partition, const metadata::Partition& described) {
  if (partition.leader_epoch() == described.leader_epoch) return;
  partition.set_leader_epoch(described.leader_epoch);
  partition.log().note_epoch_start(LeaderEpoch(described.leader_epoch));
  partition.fire_watches();  // who waits is told of the new epoch
}

task<void> drop_partition(BrokerShard& shard, PartitionKey key) {
  const auto found = shard.partitions.find(key);
  if (found == shard.partitions.end()) co_return;
  if (found->second->topic() == offsets_topic_name) {
    if (auto host = shard.groups.extract(key.partition); !host.empty()) co_await host.mapped()->stop();
  }
  const std::shared_ptr<Partition> partition = std::move(shard.partitions.extract(key).mapped());
  partition->retire();
  co_await shard.broker.cleaner->of(shard).release(key);
  co_await shard.broker.scrubber->of(shard).release(key);
  co_await shard.broker.directories->delete_log(shard, partition->shared_log());
}

task<void> apply_topics(BrokerShard& shard, const MetadataImage& image, const MetadataChanges& changes) {
  for (const auto& [id, change] : changes.topics) {
    const metadata::Topic* topic = image.find_topic(id);
    if (topic == nullptr) continue;
    std::optional<metadata::TopicConfig> config;
    for (const metadata::Partition& described : topic->partitions) {
      if (!change.is_new && !change.partitions.contains(described.index)) continue;
      if (&shard.broker.home_of(id, described.index) != &shard || !is_replica(described, shard.broker.config.node_id)) continue;
      if (Partition* partition = shard.find(id, described.index)) {
        update_partition(*partition, described);
        continue;
      }
      if (!config) config = topic_config(shard, image, topic->name);
      co_await open_partition(shard, *topic, described, *config);
    }
  }
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
    if (&shard == &shard.broker.first_shard() && shard.broker.on_broker_configs) shard.broker.on_broker_configs(*published.image);
  }
  for (const metadata::TopicPtr& topic : changes.deleted_topics)
    for (const metadata::Partition& partition : topic->partitions) {
      shard.retire_metrics(topic->name, {topic->id, partition.index});
      co_await drop_partition(shard, {topic->id, partition.index});
    }
  co_await apply_topics(shard, *published.image, changes);
  if (!changes.configs.empty()) apply_configs(shard, *published.image, changes, defaults_changed);
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

task<void> apply_metadata(Broker& broker, std::shared_ptr<const metadata::PublishedMetadata> published) {
  co_await gather_all(broker, [&published](BrokerShard& shard) { return apply_on(shard, *published); });
}

}  // namespace moldau::broker
