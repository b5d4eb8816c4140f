// A record of the metadata log: one of the message types that Kafka 4.3 knows, and the version in which it is written.
//
// In the log a record's key is null and its value is a frame: varint 1, varint type, varint version, body. Types and
// versions that are not known here come from a newer Kafka; they are an error that names them, because skipping one
// would make this node's picture of the cluster wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/messages/abort_transaction_record.h"
#include "protocol/messages/access_control_entry_record.h"
#include "protocol/messages/begin_transaction_record.h"
#include "protocol/messages/broker_registration_change_record.h"
#include "protocol/messages/clear_elr_record.h"
#include "protocol/messages/client_quota_record.h"
#include "protocol/messages/config_record.h"
#include "protocol/messages/delegation_token_record.h"
#include "protocol/messages/end_transaction_record.h"
#include "protocol/messages/feature_level_record.h"
#include "protocol/messages/fence_broker_record.h"
#include "protocol/messages/no_op_record.h"
#include "protocol/messages/partition_change_record.h"
#include "protocol/messages/partition_record.h"
#include "protocol/messages/producer_ids_record.h"
#include "protocol/messages/register_broker_record.h"
#include "protocol/messages/register_controller_record.h"
#include "protocol/messages/remove_access_control_entry_record.h"
#include "protocol/messages/remove_delegation_token_record.h"
#include "protocol/messages/remove_topic_record.h"
#include "protocol/messages/remove_user_scram_credential_record.h"
#include "protocol/messages/topic_record.h"
#include "protocol/messages/unfence_broker_record.h"
#include "protocol/messages/unregister_broker_record.h"
#include "protocol/messages/user_scram_credential_record.h"
#include "protocol/messages/zk_migration_state_record.h"

namespace moldau::metadata {

struct MetadataRecord {
  using Message =
      std::variant<protocol::RegisterBrokerRecord, protocol::UnregisterBrokerRecord, protocol::TopicRecord,
                   protocol::PartitionRecord, protocol::ConfigRecord, protocol::PartitionChangeRecord,
                   protocol::FenceBrokerRecord, protocol::UnfenceBrokerRecord, protocol::RemoveTopicRecord,
                   protocol::DelegationTokenRecord, protocol::UserScramCredentialRecord,
                   protocol::FeatureLevelRecord, protocol::ClientQuotaRecord, protocol::ProducerIdsRecord,
                   protocol::BrokerRegistrationChangeRecord, protocol::AccessControlEntryRecord,
                   protocol::RemoveAccessControlEntryRecord, protocol::NoOpRecord,
                   protocol::ZkMigrationStateRecord, protocol::RemoveUserScramCredentialRecord,
                   protocol::BeginTransactionRecord, protocol::EndTransactionRecord,
                   protocol::AbortTransactionRecord, protocol::RemoveDelegationTokenRecord,
                   protocol::RegisterControllerRecord, protocol::ClearElrRecord>;

  Message message;
  int16_t version = 0;

  friend bool operator==(const MetadataRecord&, const MetadataRecord&) = default;
};
using MetadataRecords = std::vector<MetadataRecord>;

// The value of the log record.
[[nodiscard]] Bytes encode_record(const MetadataRecord& record);
// The error is a sentence that names the type and version, or what is wrong with the bytes.
[[nodiscard]] result<MetadataRecord, std::string> decode_record(ByteView value);

// Kafka's name of the message, for logs and errors.
[[nodiscard]] std::string_view record_name(const MetadataRecord& record);

}  // namespace moldau::metadata
