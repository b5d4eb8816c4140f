// A node with several log directories: where partitions lie, moves between them, a directory that fails, and what a start
// finds.
#include "broker/directory_set.h"
#include "broker/partition.h"
#include "broker/replica_mover.h"
#include "protocol/batch_builder.h"
#include "protocol/messages/alter_replica_log_dirs_request.h"
#include "protocol/messages/alter_replica_log_dirs_response.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
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
namespace {

using protocol::ErrorCode;
using runtime::task;
using runtime::simulated::World;

const std::vector<std::string> two_directories = {"log.dirs=/a,/b", "metadata.log.dir=/m"};

// One machine over several runs of the node.
struct Machine {
  explicit Machine(uint64_t seed = 1, int shards = 2) : world(seed), node(world.add_node("10.0.0.1", shards)) {}

  void run(const Story& story, std::vector<std::string> overrides = two_directories) {
    bool done = false;
    world.boot(node, [&](runtime::Environment& environment) { return tell(environment, story, test_config(overrides), done); });
    EXPECT_TRUE(world.run_until([&] { return done; }, 600'000'000)) << "the story does not end";
  }
  // The power goes when the story says so.
  void run_and_crash(const Story& story, const bool& now) {
    auto* const done = new bool(false);
    auto* const kept = new Story(story);
    world.boot(node, [done, kept](runtime::Environment& environment) { return tell(environment, *kept, test_config(two_directories), *done); });
    EXPECT_TRUE(world.run_until([&] { return now; }, 600'000'000));
    world.crash(node);
  }

  World world;
  runtime::simulated::Node& node;
};

task<void> create(TestBroker& broker, std::string topic, int32_t partitions, std::vector<std::pair<std::string, std::string>> configs = {}) {
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

broker::Partition* find(TestBroker& broker, const std::string& topic, int32_t partition) {
  const metadata::Topic* found = broker.broker().first_shard().image->find_topic(topic);
  if (found == nullptr) return nullptr;
  return broker.broker().home_of(found->id, partition).find(found->id, partition);
}

std::string directory_of(TestBroker& broker, const std::string& topic, int32_t partition) {
  broker::Partition* found = find(broker, topic, partition);
  return found == nullptr ? "" : found->log().log_dir();
}

// What the metadata says.
std::string assigned_directory_of(TestBroker& broker, const std::string& topic, int32_t partition) {
  const metadata::Topic* found = broker.broker().first_shard().image->find_topic(topic);
  const broker::LogDir* directory = broker.broker().directories->find(found->find(partition)->directories.at(0));
  return directory == nullptr ? "" : directory->path();
}

task<int16_t> produce(TestBroker& broker, std::string topic, int32_t partition, std::string value) {
  protocol::BatchBuilder builder(protocol::BatchOptions{});
  builder.append(1'750'000'000'000, std::nullopt, as_bytes(value));
  const Bytes batch = builder.finish();
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

// One batch of an idempotent producer.
task<void> produce_in_sequence(TestBroker& broker, int32_t sequence, int& errors) {
  protocol::BatchOptions options;
  options.producer_id = ProducerId(5);
  options.producer_epoch = ProducerEpoch(0);
  options.base_sequence = sequence;
  protocol::BatchBuilder builder(options);
  builder.append(1'750'000'000'000, std::nullopt, as_bytes("value"));
  const Bytes batch = builder.finish();
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 10'000;
  auto& to = request.topic_data.emplace_back();
  to.name = "t";
  auto& data = to.partition_data.emplace_back();
  data.index = 0;
  data.records = protocol::Records{batch};
  const auto response = co_await broker.ask<protocol::ProduceResponse>(std::move(request), 9);
  errors += response.responses.at(0).partition_responses.at(0).error_code == 0 ? 0 : 1;
}

task<int16_t> move(TestBroker& broker, std::string topic, int32_t partition, std::string to) {
  protocol::AlterReplicaLogDirsRequest request;
  auto& directory = request.dirs.emplace_back();
  directory.path = to;
  auto& asked = directory.topics.emplace_back();
  asked.name = topic;
  asked.partitions = {partition};
  const auto response = co_await broker.ask<protocol::AlterReplicaLogDirsResponse>(std::move(request));
  co_return response.results.at(0).partitions.at(0).error_code;
}

task<void> wait_for_moves(TestBroker& broker) {
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

task<void> set_rate(TestBroker& broker, std::string bytes_per_second) {
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

TEST(LogDirectories, NewPartitionsGoWhereThereAreFewestAndTheMetadataSaysWhere) {
  Machine machine;
  const Story checks = [](TestBroker& broker) -> task<void> {
    for (int32_t i = 0; i < 6; ++i) {
      const std::string lies_in = directory_of(broker, "t", i);
      EXPECT_NE(lies_in, "") << i;
      EXPECT_EQ(assigned_directory_of(broker, "t", i), lies_in) << i;
    }
    co_return;
  };
  machine.run([&](TestBroker& broker) -> task<void> {
    EXPECT_EQ(co_await move(broker, "t", 0, "/b"), static_cast<int16_t>(ErrorCode::unknown_topic_or_partition));
    co_await create(broker, "t", 6);
    co_await runtime::sleep_ms(100);
    int in_a = 0;
    for (int32_t i = 0; i < 6; ++i) in_a += directory_of(broker, "t", i) == "/a" ? 1 : 0;
    EXPECT_EQ(in_a, 3);
    EXPECT_EQ(directory_of(broker, "t", 0), "/b") << "asked for before it was made";
    co_await checks(broker);
  });
  machine.run(checks);
}

TEST(LogDirectories, AMoveKeepsEveryRecordWhileOthersCome) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Machine machine(seed);
    std::string target;
    machine.run([&](TestBroker& broker) -> task<void> {
      co_await create(broker, "t", 1, {{"segment.bytes", "1048576"}});
      target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
      for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'x')), 0);
      EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
      EXPECT_EQ(co_await move(broker, "t", 0, target), 0) << "asked again";
      for (int i = 0; i < 30; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'y')), 0) << "seed " << seed;
      co_await wait_for_moves(broker);
      co_await runtime::sleep_ms(50);
      EXPECT_EQ(directory_of(broker, "t", 0), target);
      EXPECT_EQ(assigned_directory_of(broker, "t", 0), target);
      EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(50));
      EXPECT_EQ(co_await produce(broker, "t", 0, "z"), 0);
      EXPECT_EQ(find(broker, "t", 0)->log().high_watermark(), Offset(51));
    });
    machine.run([&](TestBroker& broker) -> task<void> {
      EXPECT_EQ(directory_of(broker, "t", 0), target);
      EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(51));
      co_return;
    });
  }
}

TEST(LogDirectories, BatchesOfOneProducerDoNotOvertakeEachOtherInAMove) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Machine machine(seed, 1);
    machine.run([&](TestBroker& broker) -> task<void> {
      co_await create(broker, "t", 1);
      const std::string target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
      int errors = 0;
      int32_t sequence = 0;
      EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
      runtime::Scope requests;
      for (int i = 0; i < 4000 && directory_of(broker, "t", 0) != target; ++i) {
        while (requests.running() < 5) requests.spawn(produce_in_sequence(broker, sequence++, errors));
        co_await runtime::yield();
      }
      co_await requests.join();
      EXPECT_EQ(directory_of(broker, "t", 0), target);
      EXPECT_EQ(errors, 0) << "seed " << seed;
    });
  }
}

TEST(LogDirectories, AMoveCanBeSeenTurnedBackAndGoesOnAfterARestart) {
  Machine machine;
  std::string from;
  std::string target;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    from = directory_of(broker, "t", 0);
    target = from == "/a" ? "/b" : "/a";
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'x')), 0);
    co_await set_rate(broker, "1000");
    EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
    co_await runtime::sleep_ms(2000);
    protocol::DescribeLogDirsRequest request;
    request.topics.reset();
    const auto all = co_await broker.ask<protocol::DescribeLogDirsResponse>(request);
    int futures = 0;
    for (const auto& directory : all.results)
      for (const auto& topic : directory.topics)
        for (const auto& partition : topic.partitions) {
          if (!partition.is_future_key) continue;
          ++futures;
          EXPECT_EQ(directory.log_dir, target);
          EXPECT_GT(partition.offset_lag, 0);
          EXPECT_LT(partition.offset_lag, 100);
          EXPECT_GT(partition.partition_size, 0);
        }
    EXPECT_EQ(futures, 1);
    EXPECT_EQ(co_await move(broker, "t", 0, from), 0) << "back to where it lies";
    co_await wait_for_moves(broker);
    EXPECT_EQ(directory_of(broker, "t", 0), from);
    EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
    co_await runtime::sleep_ms(2000);
    EXPECT_EQ(directory_of(broker, "t", 0), from);
  });
  machine.run([&](TestBroker& broker) -> task<void> {
    EXPECT_EQ(directory_of(broker, "t", 0), from);
    co_await set_rate(broker, "100000000");
    co_await wait_for_moves(broker);
    EXPECT_EQ(directory_of(broker, "t", 0), target);
    EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(100));
  });
}

TEST(LogDirectories, ATopicThatIsDeletedTakesItsCopyWithIt) {
  Machine machine;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    const std::string target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, std::string(1000, 'x')), 0);
    co_await set_rate(broker, "1000");
    EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
    protocol::DeleteTopicsRequest request;
    request.topics.emplace_back().name = "t";
    const auto deleted = co_await broker.ask<protocol::DeleteTopicsResponse>(std::move(request));
    EXPECT_EQ(deleted.responses.at(0).error_code, 0);
    for (const char* directory : {"/a", "/b"}) {
      const auto entries = co_await broker.broker().environment.files().list(directory);
      for (const auto& entry : *entries)
        EXPECT_FALSE(entry.is_directory && !entry.name.ends_with("-delete")) << directory << "/" << entry.name;
    }
  });
}

TEST(LogDirectories, WhatCannotBeMovedIsRefused) {
  Machine machine;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    EXPECT_EQ(co_await move(broker, "t", 0, "/nowhere"), static_cast<int16_t>(ErrorCode::log_dir_not_found));
    EXPECT_EQ(co_await move(broker, "t", 7, "/a"), static_cast<int16_t>(ErrorCode::unknown_topic_or_partition));
    EXPECT_EQ(co_await move(broker, std::string(240, 'x'), 0, "/a"), static_cast<int16_t>(ErrorCode::invalid_topic_exception));
  });
}

TEST(LogDirectories, OneThatFailsTakesItsOwnPartitionsOfflineAndTheControllerKnows) {
  Machine machine;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 4);
    co_await runtime::sleep_ms(100);
    broker.broker().directories->find("/b")->files->health()->set_offline("the test says so");
    co_await runtime::sleep_ms(100);
    int offline = 0;
    for (int32_t i = 0; i < 4; ++i) {
      const bool is_lost = directory_of(broker, "t", i) == "/b";
      offline += is_lost ? 1 : 0;
      EXPECT_EQ(co_await produce(broker, "t", i, "x"), static_cast<int16_t>(is_lost ? ErrorCode::kafka_storage_error : ErrorCode::none));
      const metadata::Topic* topic = broker.broker().first_shard().image->find_topic("t");
      EXPECT_EQ(topic->find(i)->leader, is_lost ? -1 : 1) << i;
    }
    EXPECT_EQ(offline, 2);
    protocol::DescribeLogDirsRequest request;
    request.topics.reset();
    for (const auto& directory : (co_await broker.ask<protocol::DescribeLogDirsResponse>(request)).results)
      EXPECT_EQ(directory.error_code, static_cast<int16_t>(directory.log_dir == "/b" ? ErrorCode::kafka_storage_error : ErrorCode::none));
    co_await create(broker, "later", 4);
    for (int32_t i = 0; i < 4; ++i) EXPECT_EQ(directory_of(broker, "later", i), "/a");
    for (int32_t i = 0; i < 4; ++i)
      if (directory_of(broker, "t", i) == "/a")
        EXPECT_EQ(co_await move(broker, "t", i, "/b"), static_cast<int16_t>(ErrorCode::kafka_storage_error));
  });
  // Mended: the node is started again and leads everything.
  machine.run([&](TestBroker& broker) -> task<void> {
    for (int32_t i = 0; i < 4; ++i) EXPECT_EQ(co_await produce(broker, "t", i, "y"), 0) << i;
    co_return;
  });
}

TEST(LogDirectories, OneThatIsMissingAtAStartIsNotReplacedByEmptyLogs) {
  Machine machine;
  std::string where;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 2);
    co_await runtime::sleep_ms(100);
    for (int32_t i = 0; i < 2; ++i) EXPECT_EQ(co_await produce(broker, "t", i, "x"), 0);
    where = directory_of(broker, "t", 1);
  });
  const std::string other = where == "/a" ? "/b" : "/a";
  // Another disk is mounted where it was.
  machine.run([&](TestBroker& broker) -> task<void> {
    EXPECT_EQ(directory_of(broker, "t", 1), "");
    EXPECT_EQ(co_await produce(broker, "t", 1, "y"), static_cast<int16_t>(ErrorCode::kafka_storage_error));
    EXPECT_EQ(co_await produce(broker, "t", 0, "y"), 0);
  }, {"log.dirs=" + other + ",/empty", "metadata.log.dir=/m"});
  machine.run([&](TestBroker& broker) -> task<void> {
    EXPECT_EQ(find(broker, "t", 1)->log().log_end_offset(), Offset(1));
    EXPECT_EQ(co_await produce(broker, "t", 1, "z"), 0);
    EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(2));
  });
}

TEST(LogDirectories, LogsThatFoundNoRoomAreOpenedOnceThereIsSomeAndNoStopSaysMeanwhileThatAllIsInOrder) {
  Machine machine;
  constexpr int32_t partitions = 60;
  const auto missing = [](TestBroker& broker) {
    int count = 0;
    for (int32_t i = 0; i < partitions; ++i) count += find(broker, "t", i) == nullptr ? 1 : 0;
    return count;
  };
  machine.run([&](TestBroker& broker) -> task<void> {
    machine.node.disk.capacity_bytes = machine.node.disk.used_bytes() + 6000;
    co_await create(broker, "t", partitions);
    EXPECT_GT(missing(broker), 0);
    for (int32_t i = 0; i < partitions; ++i) {
      if (find(broker, "t", i) != nullptr) continue;
      EXPECT_EQ(co_await produce(broker, "t", i, "x"), static_cast<int16_t>(ErrorCode::kafka_storage_error));
      break;
    }
    machine.node.disk.capacity_bytes = UINT64_MAX;
    co_await runtime::sleep_ms(6000);
    EXPECT_EQ(missing(broker), 0);
    for (int32_t i = 0; i < partitions; ++i) EXPECT_EQ(co_await produce(broker, "t", i, "x"), 0) << i;
  });
  runtime::FileStatus status;
  const bool a_is_clean = machine.node.disk.status("/a/.kafka_cleanshutdown", status) == 0;
  const bool b_is_clean = machine.node.disk.status("/b/.kafka_cleanshutdown", status) == 0;
  EXPECT_FALSE(a_is_clean && b_is_clean);
}

TEST(LogDirectories, ADirectoryThatIsNamedTwiceStopsTheStartAndNothingIsChanged) {
  Machine machine;
  machine.run([](TestBroker&) -> task<void> { co_return; });
  bool done = false;
  machine.world.boot(machine.node, [&](runtime::Environment& environment) -> task<void> {
    return [](runtime::Environment& of, bool& ended) -> task<void> {
      auto node = std::make_unique<Node>(of, test_config({"log.dirs=/a,/b,/a/", "metadata.log.dir=/m"}));
      const auto started = co_await node->start();
      EXPECT_FALSE(started);
      if (!started) EXPECT_EQ(started.error(), "log.dirs names /a twice: name every directory once");
      co_await node->stop();
      EXPECT_TRUE(co_await of.files().status("/a/.kafka_cleanshutdown"));
      ended = true;
    }(environment, done);
  });
  EXPECT_TRUE(machine.world.run_until([&] { return done; }, 60'000'000));
}

// The power goes at some moment of a move under load: what was acknowledged and flushed is there, once, after a start.
TEST(LogDirectories, APowerCutInAMoveLosesNothing) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Machine machine(seed);
    int acknowledged = 0;
    bool now = false;
    const int cut_after = 3 + static_cast<int>(seed % 17);
    machine.run_and_crash(
        [&](TestBroker& broker) -> task<void> {
          co_await create(broker, "t", 1, {{"flush.messages", "1"}});
          const std::string target = directory_of(broker, "t", 0) == "/a" ? "/b" : "/a";
          for (int i = 0; i < 5; ++i, ++acknowledged) EXPECT_EQ(co_await produce(broker, "t", 0, "x"), 0);
          EXPECT_EQ(co_await move(broker, "t", 0, target), 0);
          for (int i = 0; i < cut_after; ++i, ++acknowledged) EXPECT_EQ(co_await produce(broker, "t", 0, "y"), 0);
          now = true;
          co_await runtime::sleep_ms(1'000'000);
        },
        now);
    machine.run([&](TestBroker& broker) -> task<void> {
      EXPECT_NE(find(broker, "t", 0), nullptr) << "seed " << seed;
      if (find(broker, "t", 0) == nullptr) co_return;
      EXPECT_GE(find(broker, "t", 0)->log().log_end_offset(), Offset(acknowledged)) << "seed " << seed;
      co_await wait_for_moves(broker);
      int holders = 0;
      for (const char* path : {"/a/t-0", "/b/t-0"}) holders += (co_await broker.broker().environment.files().status(path)).has_value() ? 1 : 0;
      EXPECT_EQ(holders, 1) << "seed " << seed;
      EXPECT_EQ(co_await produce(broker, "t", 0, "z"), 0);
    });
  }
}

}  // namespace
}  // namespace moldau::server
