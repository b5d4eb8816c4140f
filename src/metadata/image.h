// What a cluster is, as of one offset of the metadata log: brokers, topics, settings, ids, quotas, security. Made only
// by replaying records (delta.h) and never changed afterwards: every thread may read an image that it holds.
//
// All sections are persistent maps, so an image costs little more than what changed since the one before. What no part
// of Moldau uses yet (tokens, quotas) is kept all the same: a snapshot written from the image must hold it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/uuid.h"
#include "metadata/features.h"
#include "metadata/persistent_map.h"
#include "protocol/version_range.h"

namespace moldau::metadata {

inline constexpr int32_t no_leader = -1;

// Directory ids that stand for a state (KIP-858).
inline constexpr Uuid unassigned_directory{0, 0};
inline constexpr Uuid lost_directory{0, 1};
inline constexpr Uuid migrating_directory{0, 2};

enum class LeaderRecoveryState : int8_t { recovered = 0, recovering = 1 };

struct Partition {
  int32_t index = 0;
  std::vector<int32_t> replicas;
  std::vector<Uuid> directories;  // one for each replica
  std::vector<int32_t> isr;
  std::vector<int32_t> removing_replicas;
  std::vector<int32_t> adding_replicas;
  std::vector<int32_t> eligible_leader_replicas;  // KIP-966
  std::vector<int32_t> last_known_elr;
  int32_t leader = no_leader;
  LeaderRecoveryState leader_recovery_state = LeaderRecoveryState::recovered;
  int32_t leader_epoch = -1;
  int32_t partition_epoch = -1;

  friend bool operator==(const Partition&, const Partition&) = default;
};

struct Topic {
  std::string name;
  Uuid id;
  std::vector<Partition> partitions;  // by index; a healthy topic has 0, 1, 2 ...

  [[nodiscard]] const Partition* find(int32_t index) const;
  friend bool operator==(const Topic&, const Topic&) = default;
};
using TopicPtr = std::shared_ptr<const Topic>;

struct Endpoint {
  std::string name;  // of the listener
  std::string host;
  uint16_t port = 0;
  int16_t security_protocol = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Broker {
  int32_t id = -1;
  int64_t epoch = -1;
  Uuid incarnation_id;
  std::vector<Endpoint> endpoints;
  std::map<std::string, protocol::VersionRange> features;
  std::optional<std::string> rack;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  bool is_migrating_zk_broker = false;
  std::vector<Uuid> log_dirs;
  std::optional<std::vector<Uuid>> cordoned_log_dirs;  // null until the broker said

  [[nodiscard]] const Endpoint* find_endpoint(std::string_view listener) const;
  [[nodiscard]] bool has_online_directory(const Uuid& directory) const;
  friend bool operator==(const Broker&, const Broker&) = default;
};

struct RegisteredController {
  int32_t id = -1;
  Uuid incarnation_id;
  bool zk_migration_ready = false;
  std::vector<Endpoint> endpoints;
  std::map<std::string, protocol::VersionRange> features;
  friend bool operator==(const RegisteredController&, const RegisteredController&) = default;
};

// ConfigResource.Type of Kafka; as int8_t in records and requests.
enum class ResourceType : int8_t { unknown = 0, topic = 2, broker = 4, broker_logger = 8, client_metrics = 16, group = 32 };

struct ConfigResource {
  ResourceType type = ResourceType::unknown;
  std::string name;  // of a broker: its id in decimal; empty is the default of all brokers
  friend auto operator<=>(const ConfigResource&, const ConfigResource&) = default;
};
using ConfigMap = std::map<std::string, std::string, std::less<>>;

// One part of a quota's entity: "user", "client-id" or "ip", and its name; null is the default entity.
using QuotaEntity = std::map<std::string, std::optional<std::string>>;

struct Acl {
  Uuid id;
  int8_t resource_type = 0;
  std::string resource_name;
  int8_t pattern_type = 0;
  std::string principal;
  std::string host;
  int8_t operation = 0;
  int8_t permission_type = 0;
  friend bool operator==(const Acl&, const Acl&) = default;
};

struct ScramKey {
  int8_t mechanism = 0;  // 1 SCRAM-SHA-256, 2 SCRAM-SHA-512
  std::string user;
  friend auto operator<=>(const ScramKey&, const ScramKey&) = default;
};
struct ScramCredential {
  Bytes salt;
  Bytes stored_key;
  Bytes server_key;
  int32_t iterations = 0;
  friend bool operator==(const ScramCredential&, const ScramCredential&) = default;
};

struct DelegationToken {
  std::string owner;
  std::string requester;
  std::vector<std::string> renewers;
  int64_t issue_timestamp_ms = 0;
  int64_t max_timestamp_ms = 0;
  int64_t expiration_timestamp_ms = 0;
  std::string token_id;
  friend bool operator==(const DelegationToken&, const DelegationToken&) = default;
};

struct MetadataImage {
  // Of the last record that is in here. -1 before the first.
  Offset offset{-1};
  LeaderEpoch epoch{-1};
  int64_t timestamp_ms = -1;

  FeatureLevels features;   // metadata.version among them, kraft.version not
  int16_t kraft_version = 0;
  std::optional<int8_t> zk_migration_state;
  PersistentMap<int32_t, std::shared_ptr<const Broker>> brokers;
  PersistentMap<int32_t, std::shared_ptr<const RegisteredController>> controllers;
  PersistentMap<std::string, TopicPtr> topics_by_name;
  PersistentMap<Uuid, TopicPtr> topics_by_id;
  size_t partition_count = 0;
  PersistentMap<ConfigResource, std::shared_ptr<const ConfigMap>> configs;  // no empty ones
  PersistentMap<QuotaEntity, std::map<std::string, double>> client_quotas;  // no empty ones
  int64_t next_producer_id = -1;  // -1: none was ever allocated; else the first that is free
  PersistentMap<Uuid, Acl> acls;
  PersistentMap<ScramKey, ScramCredential> scram_credentials;
  PersistentMap<std::string, DelegationToken> delegation_tokens;

  [[nodiscard]] const Topic* find_topic(std::string_view name) const;
  [[nodiscard]] const Topic* find_topic(const Uuid& id) const;
  [[nodiscard]] const Broker* find_broker(int32_t id) const;
  // Registered, unfenced and not about to stop: can lead and be in an ISR.
  [[nodiscard]] bool is_active(int32_t broker) const;
  // The settings of a resource that differ from what is configured elsewhere; an empty map if there are none.
  [[nodiscard]] const ConfigMap& find_configs(const ConfigResource& resource) const;
  [[nodiscard]] const ConfigMap& find_configs(ResourceType type, std::string_view name) const;
  // 0 for a feature that is not finalized; kraft.version included.
  [[nodiscard]] int16_t feature_level(std::string_view name) const;
  // The finalized metadata.version, or the lowest that there is while none is set.
  [[nodiscard]] const MetadataVersion& metadata_version() const;
};
using MetadataImagePtr = std::shared_ptr<const MetadataImage>;

// Whether both say the same of the cluster, wherever in the log they stand.
[[nodiscard]] bool same_content(const MetadataImage& a, const MetadataImage& b);

}  // namespace moldau::metadata
