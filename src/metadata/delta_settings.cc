// What records of settings, ids and security change in the image.
#include "metadata/delta.h"

#include <utility>

#include <fmt/format.h>

namespace moldau::metadata {

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
