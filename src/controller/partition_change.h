// What a broker's coming and going does to one partition: who leads, who is in sync, who could lead if nobody in sync
// is left (eligible leader replicas, KIP-966). A pure function from a partition and a change to a record.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "metadata/image.h"
#include "metadata/metadata_record.h"

namespace moldau::controller {

struct PartitionEvent {
  int32_t broker_to_remove = metadata::no_leader;       // leaves the ISR and may not lead: fenced or stopping
  int32_t broker_to_add = metadata::no_leader;          // may lead although the image still has it fenced
  int32_t broker_shut_down_uncleanly = metadata::no_leader;  // leaves ISR and ELR: it may have lost records
  int32_t broker_of_directory = metadata::no_leader;    // has its replica in `directory` now
  Uuid directory = metadata::unassigned_directory;
};

struct PartitionRules {
  std::function<bool(int32_t)> is_active;  // a broker that may lead, by the image
  std::function<bool(int32_t, const Uuid&)> has_online_directory;  // of a broker that is registered
  const metadata::MetadataVersion* version = nullptr;
  int32_t min_insync_replicas = 1;
  bool eligible_leader_replicas = true;  // the feature is finalized
  bool unclean_leader_election = false;
};

// Null if the event changes nothing.
[[nodiscard]] std::optional<metadata::MetadataRecord> partition_change(const Uuid& topic_id,
                                                                       const metadata::Partition& partition,
                                                                       const PartitionEvent& event,
                                                                       const PartitionRules& rules);

}  // namespace moldau::controller
