// A disk without room for the metadata log: nobody is told that something was done which was not, and it goes on once there is room.
#include <set>

#include "server/log_directories_for_test.h"

namespace moldau::server {
namespace {

const std::vector<std::string> one_directory = {"log.dirs=/a", "metadata.log.dir=/a"};

task<int16_t> create_without_room(TestBroker& broker, std::string topic) {
  protocol::CreateTopicsRequest request;
  auto& made = request.topics.emplace_back();
  made.name = topic;
  made.num_partitions = 1;
  made.replication_factor = 1;
  co_return (co_await broker.ask<protocol::CreateTopicsResponse>(std::move(request))).topics.at(0).error_code;
}

task<int16_t> try_to_set(TestBroker& broker, std::string topic, std::string value) {
  protocol::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = topic;
  auto& config = resource.configs.emplace_back();
  config.name = "retention.ms";
  config.value = value;
  co_return (co_await broker.ask<protocol::IncrementalAlterConfigsResponse>(std::move(request))).responses.at(0).error_code;
}

std::string retention_of(TestBroker& broker, const std::string& topic) {
  const auto& configs = broker.broker().first_shard().image->find_configs(metadata::ResourceType::topic, topic);
  const auto found = configs.find("retention.ms");
  return found == configs.end() ? "" : found->second;
}

TEST(MetadataOnAFullDisk, WhatIsToldToBeDoneIsDoneAndTheRestIsRefused) {
  Machine machine;
  std::set<std::string> made = {"t"};
  std::string retention;
  int refused = 0;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    for (uint64_t room = 0; room < 3000; room += 23) {
      machine.node.disk.capacity_bytes = machine.node.disk.used_bytes() + room;
      const std::string topic = fmt::format("topic-{}", room);
      const int16_t created = co_await create_without_room(broker, topic);
      if (created == 0) made.insert(topic);
      const std::string value = std::to_string(1'000'000 + room);
      const int16_t set = co_await try_to_set(broker, "t", value);
      if (set == 0) retention = value;
      for (const int16_t error : {created, set}) {
        EXPECT_TRUE(error == 0 || error == static_cast<int16_t>(ErrorCode::kafka_storage_error)) << error;
        refused += error == 0 ? 0 : 1;
      }
      EXPECT_EQ(broker.broker().first_shard().image->find_topic(topic) != nullptr, created == 0) << topic;
      EXPECT_EQ(retention_of(broker, "t"), retention);
      machine.node.disk.capacity_bytes = UINT64_MAX;
    }
    // There is room again, and no other start is needed.
    co_await create(broker, "later", 1);
    made.insert("later");
  }, one_directory);
  EXPECT_GT(refused, 10);
  EXPECT_GT(made.size(), 10u);
  machine.run([&](TestBroker& broker) -> task<void> {
    std::set<std::string> found;
    for (const auto& [id, topic] : broker.broker().first_shard().image->topics_by_id) found.insert(topic->name);
    EXPECT_EQ(found, made);
    EXPECT_EQ(retention_of(broker, "t"), retention);
    co_return;
  }, one_directory);
}

}  // namespace
}  // namespace moldau::server
