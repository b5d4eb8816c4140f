// What records of topics and partitions change in the image.
#include "metadata/delta.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"

namespace moldau::metadata {

Partition with_change(const Partition& partition, const protocol::PartitionChangeRecord& change) {
  constexpr int32_t no_leader_change = -2;
  Partition next = partition;
  if (change.isr) next.isr = *change.isr;
  if (change.replicas) next.replicas = *change.replicas;
  if (change.removing_replicas) next.removing_replicas = *change.removing_replicas;
  if (change.adding_replicas) next.adding_replicas = *change.adding_replicas;
  if (change.eligible_leader_replicas) next.eligible_leader_replicas = *change.eligible_leader_replicas;
  if (change.last_known_elr) next.last_known_elr = *change.last_known_elr;
  if (change.directories) {
    next.directories = *change.directories;
  } else if (change.replicas) {
    next.directories.clear();
    for (const int32_t replica : next.replicas) {
      const auto before = std::ranges::find(partition.replicas, replica);
      const auto index = static_cast<size_t>(before - partition.replicas.begin());
      next.directories.push_back(index < partition.directories.size() ? partition.directories[index]
                                                                      : unassigned_directory);
    }
  }
  if (change.leader != no_leader_change) {
    next.leader = change.leader;
    next.leader_epoch = partition.leader_epoch + 1;
  }
  if (change.leader_recovery_state >= 0)
    next.leader_recovery_state = static_cast<LeaderRecoveryState>(change.leader_recovery_state);
  next.partition_epoch = partition.partition_epoch + 1;
  return next;
}

Topic* MetadataDelta::open_topic(const Uuid& id) {
  if (const auto open = open_topics_.find(id); open != open_topics_.end()) return open->second.get();
  const TopicPtr* topic = image_.topics_by_id.find(id);
  if (topic == nullptr) return nullptr;
  if (!changes_.topics.contains(id)) original_topics_.emplace(id, *topic);
  return open_topics_.emplace(id, std::make_shared<Topic>(**topic)).first->second.get();
}

void MetadataDelta::flush_open_topics() {
  for (auto& [id, topic] : open_topics_) {
    image_.topics_by_name.insert_or_assign(topic->name, topic);
    image_.topics_by_id.insert_or_assign(id, topic);
  }
  open_topics_.clear();
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::TopicRecord& record) {
  if (image_.topics_by_id.contains(record.topic_id))
    return fail(fmt::format("topic {} ({}) is created a second time", record.name, record.topic_id));
  if (image_.topics_by_name.contains(record.name))
    return fail(fmt::format("topic {} is created under a second id, {}", record.name, record.topic_id));
  auto topic = std::make_shared<Topic>(Topic{record.name, record.topic_id, {}});
  image_.topics_by_name.insert_or_assign(record.name, topic);
  image_.topics_by_id.insert_or_assign(record.topic_id, topic);
  open_topics_[record.topic_id] = std::move(topic);
  changes_.topics[record.topic_id].is_new = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::PartitionRecord& record) {
  Topic* topic = open_topic(record.topic_id);
  if (topic == nullptr)
    return fail(fmt::format("partition {} belongs to topic {}, which does not exist", record.partition_id,
                            record.topic_id));
  Partition partition;
  partition.index = record.partition_id;
  partition.replicas = record.replicas;
  partition.directories = record.directories;
  partition.directories.resize(record.replicas.size(), migrating_directory);
  partition.isr = record.isr;
  partition.removing_replicas = record.removing_replicas;
  partition.adding_replicas = record.adding_replicas;
  partition.eligible_leader_replicas = record.eligible_leader_replicas.value_or(std::vector<int32_t>{});
  partition.last_known_elr = record.last_known_elr.value_or(std::vector<int32_t>{});
  partition.leader = record.leader;
  partition.leader_recovery_state = static_cast<LeaderRecoveryState>(record.leader_recovery_state);
  partition.leader_epoch = record.leader_epoch;
  partition.partition_epoch = record.partition_epoch;

  const auto at = std::ranges::lower_bound(topic->partitions, record.partition_id, {}, &Partition::index);
  if (at != topic->partitions.end() && at->index == record.partition_id) {
    *at = std::move(partition);
  } else {
    topic->partitions.insert(at, std::move(partition));
    ++image_.partition_count;
  }
  changes_.topics[record.topic_id].partitions.insert(record.partition_id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::PartitionChangeRecord& record) {
  Topic* topic = open_topic(record.topic_id);
  const Partition* partition = topic == nullptr ? nullptr : topic->find(record.partition_id);
  if (partition == nullptr)
    return fail(fmt::format("a change names partition {} of topic {}, which does not exist", record.partition_id,
                            record.topic_id));
  topic->partitions[static_cast<size_t>(partition - topic->partitions.data())] = with_change(*partition, record);
  changes_.topics[record.topic_id].partitions.insert(record.partition_id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RemoveTopicRecord& record) {
  const Topic* open = open_topic(record.topic_id);
  if (open == nullptr) return fail(fmt::format("topic {} is removed, but does not exist", record.topic_id));
  const TopicPtr topic = open_topics_.at(record.topic_id);
  image_.partition_count -= topic->partitions.size();
  image_.topics_by_name.erase(topic->name);
  image_.topics_by_id.erase(topic->id);
  const ConfigResource resource{ResourceType::topic, topic->name};
  if (image_.configs.erase(resource)) changes_.configs.insert(resource);

  const auto change = changes_.topics.find(record.topic_id);
  if (change == changes_.topics.end() || !change->second.is_new) {
    const auto original = original_topics_.find(record.topic_id);
    MOLDAU_ASSERT(original != original_topics_.end());
    changes_.deleted_topics.push_back(original->second);
  }
  if (change != changes_.topics.end()) changes_.topics.erase(change);
  original_topics_.erase(record.topic_id);
  open_topics_.erase(record.topic_id);
  return {};
}

void MetadataDelta::clear_elr(Topic& topic) {
  for (Partition& partition : topic.partitions) {
    if (partition.eligible_leader_replicas.empty() && partition.last_known_elr.empty()) continue;
    partition.eligible_leader_replicas.clear();
    partition.last_known_elr.clear();
    ++partition.partition_epoch;
    changes_.topics[topic.id].partitions.insert(partition.index);
  }
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::ClearElrRecord& record) {
  const auto has_elr = [](const Topic& topic) {
    return std::ranges::any_of(topic.partitions, [](const Partition& one) {
      return !one.eligible_leader_replicas.empty() || !one.last_known_elr.empty();
    });
  };
  flush_open_topics();
  std::vector<Uuid> ids;
  if (record.topic_name.empty()) {
    for (const auto& [id, topic] : image_.topics_by_id)
      if (has_elr(*topic)) ids.push_back(id);
  } else {
    const TopicPtr* topic = image_.topics_by_name.find(record.topic_name);
    if (topic == nullptr)
      return fail(fmt::format("eligible leaders are cleared of topic {}, which does not exist", record.topic_name));
    if (has_elr(**topic)) ids.push_back((*topic)->id);
  }
  for (const Uuid& id : ids) clear_elr(*open_topic(id));
  return {};
}

}  // namespace moldau::metadata
