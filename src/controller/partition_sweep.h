// What an event does to the partitions of an image, as records: partition_change.h with each topic's own rules.
#pragma once

#include <utility>

#include "controller/controller.h"
#include "controller/min_insync_rules.h"
#include "controller/partition_change.h"

namespace moldau::controller {

// Applies one event to every partition that `concerns` picks.
class PartitionSweep {
 public:
  PartitionSweep(const metadata::MetadataImage& image, const ControllerOptions& options) : image_(image), options_(options) {
    rules_.is_active = [&image](int32_t broker) { return image.is_active(broker); };
    rules_.has_online_directory = [&image](int32_t broker, const Uuid& directory) {
      const metadata::Broker* found = image.find_broker(broker);
      return found == nullptr || found->has_online_directory(directory);
    };
    rules_.version = &image.metadata_version();
    rules_.eligible_leader_replicas = image.feature_level(metadata::eligible_leader_replicas_feature) > 0;
  }
  void add_changes(const PartitionEvent& event, const auto& concerns, metadata::MetadataRecords& records) {
    for (const auto& [id, topic] : image_.topics_by_id) {
      bool has_rules = false;
      for (const metadata::Partition& partition : topic->partitions) {
        if (!concerns(partition)) continue;
        if (!std::exchange(has_rules, true)) take_rules_of(*topic);
        if (auto record = partition_change(id, partition, event, rules_)) records.push_back(std::move(*record));
      }
    }
  }
  // The same for one partition.
  void add_change(const metadata::Topic& topic, const metadata::Partition& partition, const PartitionEvent& event,
                  metadata::MetadataRecords& records) {
    take_rules_of(topic);
    if (auto record = partition_change(topic.id, partition, event, rules_)) records.push_back(std::move(*record));
  }
  [[nodiscard]] bool has_elr() const { return rules_.eligible_leader_replicas; }

 private:
  void take_rules_of(const metadata::Topic& topic) {
    rules_.min_insync_replicas = effective_min_insync_replicas(image_, topic.name, options_.default_min_insync_replicas);
    rules_.unclean_leader_election =
        effective_unclean_leader_election(image_, topic.name, options_.default_unclean_leader_election_enable);
  }

  const metadata::MetadataImage& image_;
  const ControllerOptions& options_;
  PartitionRules rules_;
};

}  // namespace moldau::controller
