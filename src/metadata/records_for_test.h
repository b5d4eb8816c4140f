// For tests: metadata records in few words.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metadata/loader.h"
#include "metadata/snapshot_records.h"

namespace moldau::metadata {

inline Uuid id_of(int64_t number) { return {number * 7919, number}; }

inline MetadataRecord topic_record(const std::string& name, const Uuid& id) {
  protocol::TopicRecord record;
  record.name = name;
  record.topic_id = id;
  return {record, 0};
}
inline MetadataRecord new_partition_record(const Uuid& topic, int32_t index, int32_t leader = 1) {
  Partition partition;
  partition.index = index;
  partition.replicas = {1, 2, 3};
  partition.directories = {id_of(101), id_of(102), id_of(103)};
  partition.isr = {1, 2, 3};
  partition.leader = leader;
  partition.leader_epoch = 0;
  partition.partition_epoch = 0;
  return partition_record(topic, partition, *find_metadata_version(latest_metadata_version));
}
inline MetadataRecord remove_record(const Uuid& id) {
  protocol::RemoveTopicRecord record;
  record.topic_id = id;
  return {record, 0};
}
inline MetadataRecord config_record(ResourceType type, std::string name, std::string key, std::optional<std::string> value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<int8_t>(type);
  record.resource_name = std::move(name);
  record.name = std::move(key);
  record.value = std::move(value);
  return {record, 0};
}
inline MetadataRecord feature_record(std::string name, int16_t level) {
  protocol::FeatureLevelRecord record;
  record.name = std::move(name);
  record.feature_level = level;
  return {record, 0};
}
inline MetadataRecord register_record(int32_t id, int64_t epoch) {
  Broker broker;
  broker.id = id;
  broker.epoch = epoch;
  broker.incarnation_id = id_of(1000 + epoch);
  broker.endpoints = {{"PLAINTEXT", fmt::format("host{}", id), 9092, 0}};
  broker.features["metadata.version"] = {7, 30};
  broker.log_dirs = {id_of(100 + id)};
  return broker_record(broker, *find_metadata_version(latest_metadata_version));
}

inline MetadataImagePtr image_with(const MetadataRecords& records) {
  auto image = image_of(records, Offset(static_cast<int64_t>(records.size()) - 1), LeaderEpoch(1), 0);
  EXPECT_TRUE(image) << image.error();
  return *image;
}
inline std::string error_of(const MetadataRecords& records) {
  const auto image = image_of(records, Offset(0), LeaderEpoch(1), 0);
  return image ? std::string() : image.error();
}

}  // namespace moldau::metadata
