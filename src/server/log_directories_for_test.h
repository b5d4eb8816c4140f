// For tests: a machine with several log directories over several runs of its node, and short questions to it.
#pragma once

#include "broker/directory_set.h"
#include "broker/partition.h"
#include "broker/replica_mover.h"
#include "protocol/batch_builder.h"
#include "protocol/messages/alter_replica_log_dirs_request.h"
#include "protocol/messages/alter_replica_log_dirs_response.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/delete_records_request.h"
#include "protocol/messages/delete_records_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "protocol/messages/describe_log_dirs_request.h"
#include "protocol/messages/describe_log_dirs_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "server/test_broker.h"

namespace moldau::server {

using protocol::ErrorCode;
using runtime::task;


inline const std::vector<std::string> two_directories = {"log.dirs=/a,/b", "metadata.log.dir=/m"};

// One machine over several runs of the node.
struct Machine {
  explicit Machine(uint64_t seed = 1, int shards = 2) : world(seed), node(world.add_node("10.0.0.1", shards)) {}

  void run(const Story& story, std::vector<std::string> overrides = two_directories) {
    bool done = false;
    world.boot(node, [&](runtime::Environment& environment) { return tell(environment, story, test_config(overrides), done); });
    EXPECT_TRUE(world.run_until([&] { return done; }, 600'000'000)) << "the story does not end";
  }
  // The power goes when the story says so.
  void run_and_crash(const Story& story, const bool& now, std::vector<std::string> overrides = two_directories) {
    auto* const done = new bool(false);
    auto* const kept = new Story(story);
    world.boot(node, [done, kept, overrides](runtime::Environment& environment) { return tell(environment, *kept, test_config(overrides), *done); });
    EXPECT_TRUE(world.run_until([&] { return now; }, 600'000'000));
    world.crash(node);
  }

  runtime::simulated::World world;
  runtime::simulated::Node& node;
};

inline task<void> create(TestBroker& broker, std::string topic, int32_t partitions, std::vector<std::pair<std::string, std::string>> configs = {}) {
  protocol::CreateTopicsRequest request;
  auto& made = request.topics.emplace_back();
  made.name = topic;
  made.num_partitions = partitions;
  made.replication_factor = 1;
  for (auto& [name, value] : configs) {
    auto& config = made.configs.emplace_back();
    config.name = name;
    config.value = value;
  }
  const auto response = co_await broker.ask<protocol::CreateTopicsResponse>(std::move(request));
  EXPECT_EQ(response.topics.at(0).error_code, 0) << response.topics.at(0).error_message.value_or("");
}

// Null: it is not here.
inline broker::Partition* find(TestBroker& broker, const std::string& topic, int32_t partition) {
  const metadata::Topic* found = broker.broker().first_shard().image->find_topic(topic);
  if (found == nullptr) return nullptr;
  return broker.broker().home_of(found->id, partition).find(found->id, partition);
}

inline std::string directory_of(TestBroker& broker, const std::string& topic, int32_t partition) {
  broker::Partition* found = find(broker, topic, partition);
  return found == nullptr ? "" : found->log().log_dir();
}

// What the metadata says.
inline std::string assigned_directory_of(TestBroker& broker, const std::string& topic, int32_t partition) {
  const metadata::Topic* found = broker.broker().first_shard().image->find_topic(topic);
  const broker::LogDir* directory = broker.broker().directories->find(found->find(partition)->directories.at(0));
  return directory == nullptr ? "" : directory->path();
}

inline task<int16_t> produce_batch(TestBroker& broker, std::string topic, int32_t partition, Bytes batch) {
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 10'000;
  auto& to = request.topic_data.emplace_back();
  to.name = topic;
  auto& data = to.partition_data.emplace_back();
  data.index = partition;
  data.records = protocol::Records{batch};
  const auto response = co_await broker.ask<protocol::ProduceResponse>(std::move(request), 9);
  co_return response.responses.at(0).partition_responses.at(0).error_code;
}

inline Bytes batch_of_one(std::optional<ByteView> key, std::optional<ByteView> value, protocol::BatchOptions options = {}) {
  protocol::BatchBuilder builder(options);
  builder.append(1'750'000'000'000, key, value);
  return builder.finish();
}

inline task<int16_t> produce(TestBroker& broker, std::string topic, int32_t partition, std::string value) {
  co_return co_await produce_batch(broker, topic, partition, batch_of_one(std::nullopt, as_bytes(value)));
}

// One batch of an idempotent producer.
inline task<void> produce_in_sequence(TestBroker& broker, int32_t sequence, int& errors) {
  Bytes batch = batch_of_one(std::nullopt, as_bytes("value"),
                             {.producer_id = ProducerId(5), .producer_epoch = ProducerEpoch(0), .base_sequence = sequence});
  errors += co_await produce_batch(broker, "t", 0, std::move(batch)) == 0 ? 0 : 1;
}

inline task<void> delete_records(TestBroker& broker, std::string topic, int32_t partition, int64_t before) {
  protocol::DeleteRecordsRequest request;
  request.timeout_ms = 10'000;
  auto& of_topic = request.topics.emplace_back();
  of_topic.name = topic;
  of_topic.partitions.emplace_back(partition, before);
  const auto response = co_await broker.ask<protocol::DeleteRecordsResponse>(std::move(request));
  EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, 0);
}

inline task<int16_t> move(TestBroker& broker, std::string topic, int32_t partition, std::string to) {
  protocol::AlterReplicaLogDirsRequest request;
  auto& directory = request.dirs.emplace_back();
  directory.path = to;
  auto& asked = directory.topics.emplace_back();
  asked.name = topic;
  asked.partitions = {partition};
  const auto response = co_await broker.ask<protocol::AlterReplicaLogDirsResponse>(std::move(request));
  co_return response.results.at(0).partitions.at(0).error_code;
}

inline task<void> wait_for_moves(TestBroker& broker) {
  for (int i = 0; i < 1000; ++i) {
    const auto all = co_await broker.ask<protocol::DescribeLogDirsResponse>(
        [] { protocol::DescribeLogDirsRequest request; request.topics.reset(); return request; }());
    bool is_moving = false;
    for (const auto& directory : all.results)
      for (const auto& topic : directory.topics)
        for (const auto& partition : topic.partitions) is_moving = is_moving || partition.is_future_key;
    if (!is_moving) co_return;
    co_await runtime::sleep_ms(20);
  }
  ADD_FAILURE() << "a move does not end";
}

inline task<void> set_rate(TestBroker& broker, std::string bytes_per_second) {
  protocol::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 4;
  resource.resource_name = "1";
  auto& config = resource.configs.emplace_back();
  config.name = "replica.alter.log.dirs.io.max.bytes.per.second";
  config.value = bytes_per_second;
  const auto response = co_await broker.ask<protocol::IncrementalAlterConfigsResponse>(std::move(request));
  EXPECT_EQ(response.responses.at(0).error_code, 0) << response.responses.at(0).error_message.value_or("");
}

}  // namespace moldau::server
