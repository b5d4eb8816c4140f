#include "metadata/delta.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"

namespace moldau::metadata {

namespace {

template <class RecordEndpoints>
std::vector<Endpoint> endpoints_of(const RecordEndpoints& from) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(from.size());
  for (const auto& one : from) endpoints.push_back({one.name, one.host, one.port, one.security_protocol});
  return endpoints;
}

template <class RecordFeatures>
std::map<std::string, protocol::VersionRange> features_of(const RecordFeatures& from) {
  std::map<std::string, protocol::VersionRange> features;
  for (const auto& one : from) features[one.name] = {one.min_supported_version, one.max_supported_version};
  return features;
}

}  // namespace

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

MetadataDelta::MetadataDelta(MetadataImagePtr base) {
  MOLDAU_ASSERT(base != nullptr);
  image_ = *base;
}

result<void, std::string> MetadataDelta::apply(const MetadataRecord& record) {
  return std::visit([this](const auto& message) { return replay(message); }, record.message);
}

MetadataImagePtr MetadataDelta::finish(Offset last_offset, LeaderEpoch epoch, int64_t timestamp_ms) {
  flush_open_topics();
  image_.offset = last_offset;
  image_.epoch = epoch;
  image_.timestamp_ms = timestamp_ms;
  return std::make_shared<const MetadataImage>(image_);
}

// --- topics ---------------------------------------------------------------------------------------------------------

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

// --- brokers and controllers ----------------------------------------------------------------------------------------

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RegisterBrokerRecord& record) {
  auto broker = std::make_shared<Broker>();
  broker->id = record.broker_id;
  broker->epoch = record.broker_epoch;
  broker->incarnation_id = record.incarnation_id;
  broker->endpoints = endpoints_of(record.end_points);
  broker->features = features_of(record.features);
  broker->rack = record.rack;
  broker->fenced = record.fenced;
  broker->in_controlled_shutdown = record.in_controlled_shutdown;
  broker->is_migrating_zk_broker = record.is_migrating_zk_broker;
  broker->log_dirs = record.log_dirs;
  broker->cordoned_log_dirs = record.cordoned_log_dirs;
  image_.brokers.insert_or_assign(record.broker_id, std::move(broker));
  changes_.brokers.insert(record.broker_id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::change_broker(int32_t id, int64_t epoch,
                                                    const std::function<void(Broker&)>& change) {
  const Broker* broker = image_.find_broker(id);
  if (broker == nullptr) return fail(fmt::format("broker {} is changed, but not registered", id));
  if (broker->epoch != epoch)
    return fail(fmt::format("broker {} is changed at epoch {}, but is registered at {}", id, epoch, broker->epoch));
  auto next = std::make_shared<Broker>(*broker);
  change(*next);
  image_.brokers.insert_or_assign(id, std::move(next));
  changes_.brokers.insert(id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::UnregisterBrokerRecord& record) {
  const Broker* broker = image_.find_broker(record.broker_id);
  if (broker == nullptr) return fail(fmt::format("broker {} is unregistered, but not registered", record.broker_id));
  if (broker->epoch != record.broker_epoch)
    return fail(fmt::format("broker {} is unregistered at epoch {}, but is registered at {}", record.broker_id,
                            record.broker_epoch, broker->epoch));
  image_.brokers.erase(record.broker_id);
  changes_.brokers.insert(record.broker_id);
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::FenceBrokerRecord& record) {
  return change_broker(record.id, record.epoch, [](Broker& broker) { broker.fenced = true; });
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::UnfenceBrokerRecord& record) {
  return change_broker(record.id, record.epoch, [](Broker& broker) { broker.fenced = false; });
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::BrokerRegistrationChangeRecord& record) {
  return change_broker(record.broker_id, record.broker_epoch, [&](Broker& broker) {
    if (record.fenced != 0) broker.fenced = record.fenced > 0;
    if (record.in_controlled_shutdown != 0) broker.in_controlled_shutdown = record.in_controlled_shutdown > 0;
    if (!record.log_dirs.empty()) broker.log_dirs = record.log_dirs;
    if (record.cordoned_log_dirs) broker.cordoned_log_dirs = record.cordoned_log_dirs;
  });
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RegisterControllerRecord& record) {
  auto controller = std::make_shared<RegisteredController>();
  controller->id = record.controller_id;
  controller->incarnation_id = record.incarnation_id;
  controller->zk_migration_ready = record.zk_migration_ready;
  controller->endpoints = endpoints_of(record.end_points);
  controller->features = features_of(record.features);
  image_.controllers.insert_or_assign(record.controller_id, std::move(controller));
  changes_.controllers = true;
  return {};
}

// --- settings and ids -----------------------------------------------------------------------------------------------

MetadataDelta::Outcome MetadataDelta::replay(const protocol::ConfigRecord& record) {
  ConfigResource resource{static_cast<ResourceType>(record.resource_type), record.resource_name};
  ConfigMap configs = image_.find_configs(resource);
  if (record.value) {
    configs.insert_or_assign(record.name, *record.value);
  } else {
    configs.erase(record.name);
  }
  changes_.configs.insert(resource);
  if (configs.empty()) {
    image_.configs.erase(resource);
  } else {
    image_.configs.insert_or_assign(std::move(resource), std::make_shared<const ConfigMap>(std::move(configs)));
  }
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::FeatureLevelRecord& record) {
  if (record.feature_level == 0) {
    image_.features.erase(record.name);
  } else {
    image_.features.insert_or_assign(record.name, record.feature_level);
  }
  changes_.features = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::ClientQuotaRecord& record) {
  QuotaEntity entity;
  for (const auto& part : record.entity) entity[part.entity_type] = part.entity_name;
  std::map<std::string, double> quotas;
  if (const auto* present = image_.client_quotas.find(entity)) quotas = *present;
  if (record.remove) {
    quotas.erase(record.key);
  } else {
    quotas[record.key] = record.value;
  }
  if (quotas.empty()) {
    image_.client_quotas.erase(entity);
  } else {
    image_.client_quotas.insert_or_assign(std::move(entity), std::move(quotas));
  }
  changes_.client_quotas = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::ProducerIdsRecord& record) {
  image_.next_producer_id = record.next_producer_id;
  changes_.producer_ids = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::NoOpRecord&) { return {}; }

MetadataDelta::Outcome MetadataDelta::replay(const protocol::ZkMigrationStateRecord& record) {
  image_.zk_migration_state = record.zk_migration_state;
  return {};
}

// The loader gives a delta only what is inside a transaction; its marks change nothing here.
MetadataDelta::Outcome MetadataDelta::replay(const protocol::BeginTransactionRecord&) { return {}; }
MetadataDelta::Outcome MetadataDelta::replay(const protocol::EndTransactionRecord&) { return {}; }
MetadataDelta::Outcome MetadataDelta::replay(const protocol::AbortTransactionRecord&) { return {}; }

// --- security -------------------------------------------------------------------------------------------------------

MetadataDelta::Outcome MetadataDelta::replay(const protocol::AccessControlEntryRecord& record) {
  image_.acls.insert_or_assign(
      record.id, Acl{record.id, record.resource_type, record.resource_name, record.pattern_type, record.principal,
                     record.host, record.operation, record.permission_type});
  changes_.acls = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RemoveAccessControlEntryRecord& record) {
  if (!image_.acls.erase(record.id)) return fail(fmt::format("ACL {} is removed, but does not exist", record.id));
  changes_.acls = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::UserScramCredentialRecord& record) {
  image_.scram_credentials.insert_or_assign(
      ScramKey{record.mechanism, record.name},
      ScramCredential{record.salt, record.stored_key, record.server_key, record.iterations});
  changes_.scram_credentials = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RemoveUserScramCredentialRecord& record) {
  image_.scram_credentials.erase(ScramKey{record.mechanism, record.name});
  changes_.scram_credentials = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::DelegationTokenRecord& record) {
  image_.delegation_tokens.insert_or_assign(
      record.token_id, DelegationToken{record.owner, record.requester, record.renewers, record.issue_timestamp,
                                       record.max_timestamp, record.expiration_timestamp, record.token_id});
  changes_.delegation_tokens = true;
  return {};
}

MetadataDelta::Outcome MetadataDelta::replay(const protocol::RemoveDelegationTokenRecord& record) {
  image_.delegation_tokens.erase(record.token_id);
  changes_.delegation_tokens = true;
  return {};
}

}  // namespace moldau::metadata
