#include "metadata/snapshot_records.h"

#include <utility>

namespace moldau::metadata {

MetadataRecord partition_record(const Uuid& topic_id, const Partition& partition, const MetadataVersion& version) {
  protocol::PartitionRecord record;
  record.partition_id = partition.index;
  record.topic_id = topic_id;
  record.replicas = partition.replicas;
  record.isr = partition.isr;
  record.removing_replicas = partition.removing_replicas;
  record.adding_replicas = partition.adding_replicas;
  record.leader = partition.leader;
  record.leader_recovery_state = static_cast<int8_t>(partition.leader_recovery_state);
  record.leader_epoch = partition.leader_epoch;
  record.partition_epoch = partition.partition_epoch;
  if (version.partition_record >= 1) record.directories = partition.directories;
  if (version.partition_record >= 2) {
    if (!partition.eligible_leader_replicas.empty())
      record.eligible_leader_replicas = partition.eligible_leader_replicas;
    if (!partition.last_known_elr.empty()) record.last_known_elr = partition.last_known_elr;
  }
  return {std::move(record), version.partition_record};
}

MetadataRecord broker_record(const Broker& broker, const MetadataVersion& version) {
  protocol::RegisterBrokerRecord record;
  record.broker_id = broker.id;
  if (version.register_broker_record >= 2) record.is_migrating_zk_broker = broker.is_migrating_zk_broker;
  record.incarnation_id = broker.incarnation_id;
  record.broker_epoch = broker.epoch;
  for (const Endpoint& one : broker.endpoints)
    record.end_points.push_back({one.name, one.host, one.port, one.security_protocol, {}});
  for (const auto& [name, range] : broker.features) record.features.push_back({name, range.min, range.max, {}});
  record.rack = broker.rack;
  record.fenced = broker.fenced;
  record.in_controlled_shutdown = broker.in_controlled_shutdown;
  if (version.register_broker_record >= 3) record.log_dirs = broker.log_dirs;
  if (version.register_broker_record >= 4) record.cordoned_log_dirs = broker.cordoned_log_dirs;
  return {std::move(record), version.register_broker_record};
}

MetadataRecord controller_record(const RegisteredController& controller) {
  protocol::RegisterControllerRecord record;
  record.controller_id = controller.id;
  record.incarnation_id = controller.incarnation_id;
  record.zk_migration_ready = controller.zk_migration_ready;
  for (const Endpoint& one : controller.endpoints)
    record.end_points.push_back({one.name, one.host, one.port, one.security_protocol, {}});
  for (const auto& [name, range] : controller.features) record.features.push_back({name, range.min, range.max, {}});
  return {std::move(record), 0};
}

MetadataRecords snapshot_records(const MetadataImage& image) {
  const MetadataVersion& version = image.metadata_version();
  MetadataRecords records;
  records.reserve(image.features.size() + image.topics_by_id.size() + image.partition_count + image.acls.size() + 16);

  const auto feature = [&](const std::string& name, int16_t level) {
    protocol::FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    records.push_back({std::move(record), 0});
  };
  // metadata.version stands first: it says how to read what follows.
  for (const auto& [name, level] : image.features)
    if (name == metadata_version_feature) feature(name, level);
  for (const auto& [name, level] : image.features)
    if (name != metadata_version_feature) feature(name, level);
  if (image.zk_migration_state) {
    protocol::ZkMigrationStateRecord record;
    record.zk_migration_state = *image.zk_migration_state;
    records.push_back({std::move(record), 0});
  }

  for (const auto& [id, broker] : image.brokers) records.push_back(broker_record(*broker, version));
  if (version.has_controller_registration())
    for (const auto& [id, controller] : image.controllers) records.push_back(controller_record(*controller));

  for (const auto& [id, topic] : image.topics_by_id) {
    protocol::TopicRecord record;
    record.name = topic->name;
    record.topic_id = id;
    records.push_back({std::move(record), 0});
    for (const Partition& partition : topic->partitions) records.push_back(partition_record(id, partition, version));
  }

  for (const auto& [resource, configs] : image.configs) {
    for (const auto& [name, value] : *configs) {
      protocol::ConfigRecord record;
      record.resource_type = static_cast<int8_t>(resource.type);
      record.resource_name = resource.name;
      record.name = name;
      record.value = value;
      records.push_back({std::move(record), 0});
    }
  }

  for (const auto& [entity, quotas] : image.client_quotas) {
    for (const auto& [key, value] : quotas) {
      protocol::ClientQuotaRecord record;
      for (const auto& [type, name] : entity) record.entity.push_back({type, name, {}});
      record.key = key;
      record.value = value;
      record.remove = false;
      records.push_back({std::move(record), 0});
    }
  }

  if (image.next_producer_id >= 0) {
    protocol::ProducerIdsRecord record;
    record.broker_id = -1;
    record.broker_epoch = -1;
    record.next_producer_id = image.next_producer_id;
    records.push_back({std::move(record), 0});
  }

  for (const auto& [id, acl] : image.acls) {
    protocol::AccessControlEntryRecord record;
    record.id = id;
    record.resource_type = acl.resource_type;
    record.resource_name = acl.resource_name;
    record.pattern_type = acl.pattern_type;
    record.principal = acl.principal;
    record.host = acl.host;
    record.operation = acl.operation;
    record.permission_type = acl.permission_type;
    records.push_back({std::move(record), 0});
  }

  for (const auto& [key, credential] : image.scram_credentials) {
    protocol::UserScramCredentialRecord record;
    record.name = key.user;
    record.mechanism = key.mechanism;
    record.salt = credential.salt;
    record.stored_key = credential.stored_key;
    record.server_key = credential.server_key;
    record.iterations = credential.iterations;
    records.push_back({std::move(record), 0});
  }

  for (const auto& [id, token] : image.delegation_tokens) {
    protocol::DelegationTokenRecord record;
    record.owner = token.owner;
    record.requester = token.requester;
    record.renewers = token.renewers;
    record.issue_timestamp = token.issue_timestamp_ms;
    record.max_timestamp = token.max_timestamp_ms;
    record.expiration_timestamp = token.expiration_timestamp_ms;
    record.token_id = token.token_id;
    records.push_back({std::move(record), 0});
  }
  return records;
}

}  // namespace moldau::metadata
