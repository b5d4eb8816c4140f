// cordoned.log.dirs: what is placed where, and what is refused.
#include "server/log_directories_for_test.h"

namespace moldau::server {
namespace {

struct Changed {
  int16_t error = 0;
  std::string message;
};

// Sets cordoned.log.dirs; null: deletes it. A change is known everywhere soon afterwards.
task<Changed> cordon(TestBroker& broker, std::optional<std::string> value, std::string node = "1") {
  protocol::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 4;
  resource.resource_name = node;
  auto& config = resource.configs.emplace_back();
  config.name = "cordoned.log.dirs";
  config.config_operation = value ? 0 : 1;
  config.value = value;
  const auto response = co_await broker.ask<protocol::IncrementalAlterConfigsResponse>(std::move(request));
  co_await runtime::sleep_ms(100);
  co_return Changed{response.responses.at(0).error_code, response.responses.at(0).error_message.value_or("")};
}

task<int16_t> try_to_create(TestBroker& broker, std::string topic) {
  protocol::CreateTopicsRequest request;
  auto& made = request.topics.emplace_back();
  made.name = topic;
  made.num_partitions = 2;
  made.replication_factor = 1;
  co_return (co_await broker.ask<protocol::CreateTopicsResponse>(std::move(request))).topics.at(0).error_code;
}

task<std::string> cordoned(TestBroker& broker, int16_t version = 5) {
  protocol::DescribeLogDirsRequest request;
  std::string paths;
  for (const auto& directory : (co_await broker.ask<protocol::DescribeLogDirsResponse>(request, version)).results)
    if (directory.is_cordoned) paths += directory.log_dir;
  co_return paths;
}

constexpr int16_t code(ErrorCode error) { return static_cast<int16_t>(error); }

TEST(CordonedDirectories, TakeNothingNewAndKeepWhatTheyHave) {
  Machine machine;
  const Story checks = [](TestBroker& broker) -> task<void> {
    EXPECT_EQ(co_await cordoned(broker), "/b");
    EXPECT_EQ(co_await move(broker, "t", 0, "/b"), code(ErrorCode::invalid_replica_assignment));
    EXPECT_EQ(co_await move(broker, "not-there", 0, "/b"), code(ErrorCode::invalid_replica_assignment));
    for (int32_t i = 0; i < 4; ++i) EXPECT_EQ(co_await produce(broker, "t", i, "x"), 0) << i;
  };
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 4);
    EXPECT_EQ(co_await cordoned(broker), "");
    EXPECT_EQ((co_await cordon(broker, "/b")).error, 0);
    co_await checks(broker);
    co_await create(broker, "later", 5);
    for (int32_t i = 0; i < 5; ++i) EXPECT_EQ(directory_of(broker, "later", i), "/a") << i;
  });
  // The setting outlives the process.
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await checks(broker);
    EXPECT_EQ((co_await cordon(broker, std::nullopt)).error, 0);
    EXPECT_EQ(co_await cordoned(broker), "");
    EXPECT_EQ(co_await move(broker, "later", 0, "/b"), 0);
    co_await wait_for_moves(broker);
    EXPECT_EQ(directory_of(broker, "later", 0), "/b");
  });
}

TEST(CordonedDirectories, WhereAllAreNoTopicIsMade) {
  Machine machine;
  std::vector<std::string> in_the_file = two_directories;
  in_the_file.push_back("cordoned.log.dirs=*");
  machine.run([&](TestBroker& broker) -> task<void> {
    EXPECT_EQ(co_await cordoned(broker), "/a/b");
    EXPECT_EQ(co_await try_to_create(broker, "t"), code(ErrorCode::invalid_replication_factor));
    EXPECT_EQ((co_await cordon(broker, "")).error, 0);
    EXPECT_EQ(co_await try_to_create(broker, "t"), 0);
    EXPECT_EQ((co_await cordon(broker, "*")).error, 0);
    EXPECT_EQ(co_await try_to_create(broker, "u"), code(ErrorCode::invalid_replication_factor));
    EXPECT_EQ((co_await cordon(broker, "/a")).error, 0);
    EXPECT_EQ(co_await try_to_create(broker, "u"), 0);
    EXPECT_EQ(directory_of(broker, "u", 0), "/b");
  }, in_the_file);
}

TEST(CordonedDirectories, AreAmongLogDirs) {
  Machine machine;
  machine.run([](TestBroker& broker) -> task<void> {
    for (const std::string value : {"/c", "/a,/c", "*,/a"}) {
      const Changed changed = co_await cordon(broker, value);
      EXPECT_EQ(changed.error, code(ErrorCode::invalid_request)) << value;
      EXPECT_NE(changed.message.find("cordoned.log.dirs"), std::string::npos) << changed.message;
    }
    EXPECT_EQ((co_await cordon(broker, "/a", "")).error, code(ErrorCode::invalid_request)) << "for all brokers";
    EXPECT_EQ(co_await cordoned(broker), "");
  });
}

}  // namespace
}  // namespace moldau::server
