// Features whose level a cluster finalizes: which exist in Kafka 4.3, which levels this node supports, what each level
// needs, and what a metadata.version implies for the records that are written. Constant data, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "metadata/persistent_map.h"
#include "protocol/version_range.h"

namespace moldau::metadata {

inline constexpr std::string_view metadata_version_feature = "metadata.version";
inline constexpr std::string_view kraft_version_feature = "kraft.version";
inline constexpr std::string_view eligible_leader_replicas_feature = "eligible.leader.replicas.version";

// Finalized levels by feature. Level 0 is never kept.
using FeatureLevels = PersistentMap<std::string, int16_t>;

struct Feature {
  std::string_view name;
  protocol::VersionRange supported;  // by this node, as broker and as controller
  int16_t default_level;             // of a cluster formatted with the latest production metadata.version
};

// In the order in which a fresh cluster's records name them: metadata.version first, the others by name; kraft.version
// stands last, because it is finalized by a control record and not by a FeatureLevelRecord.
[[nodiscard]] std::span<const Feature> supported_features();
// Null if the feature is unknown.
[[nodiscard]] const Feature* find_feature(std::string_view name);

// What a level of metadata.version says of the records that may be written (KIP-778).
struct MetadataVersion {
  int16_t level;
  std::string_view name;        // 4.3-IV0
  bool did_metadata_change;     // since the level before
  int16_t register_broker_record;
  int16_t partition_record;     // of PartitionRecord and PartitionChangeRecord

  [[nodiscard]] bool is_leader_epoch_bumped_on_isr_shrink() const { return level < 12; }
  [[nodiscard]] bool has_scram() const { return level >= 11; }
  [[nodiscard]] bool has_transactions() const { return level >= 13; }
  [[nodiscard]] bool has_delegation_tokens() const { return level >= 14; }
  [[nodiscard]] bool has_controller_registration() const { return level >= 15; }
  [[nodiscard]] bool has_directory_assignment() const { return level >= 17; }
  [[nodiscard]] bool has_eligible_leader_replicas() const { return level >= 23; }
  [[nodiscard]] bool has_cordoned_log_dirs() const { return level >= 30; }
};

inline constexpr int16_t minimum_metadata_version = 7;
inline constexpr int16_t latest_metadata_version = 30;

// Null for a level that this release does not know.
[[nodiscard]] const MetadataVersion* find_metadata_version(int16_t level);

// Why a cluster with these levels cannot be opened by this release, feature by feature with how to go on; null if it can.
// A level says only what may be used: one that is supported is opened whatever of it this node does not serve yet.
[[nodiscard]] std::optional<std::string> unsupported_features(const FeatureLevels& finalized);

// Why a feature cannot have this level next to these others (KIP-1022); empty if it can.
[[nodiscard]] std::optional<std::string> unmet_dependency(std::string_view feature, int16_t level,
                                                          const FeatureLevels& others);

}  // namespace moldau::metadata
