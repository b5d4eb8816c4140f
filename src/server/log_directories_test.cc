// Several log directories: where partitions lie, one that fails, and what a start finds.
#include "server/log_directories_for_test.h"

namespace moldau::server {
namespace {

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

// What a start with these log.dirs is told, which must not change anything.
void expect_refusal(Machine& machine, const std::string& log_dirs, const std::string& metadata_log_dir, const std::string& sentence) {
  bool done = false;
  machine.world.boot(machine.node, [&](runtime::Environment& environment) -> task<void> {
    return [](runtime::Environment& of, std::vector<std::string> overrides, std::string expected, bool& ended) -> task<void> {
      auto node = std::make_unique<Node>(of, test_config(overrides));
      const auto started = co_await node->start();
      EXPECT_FALSE(started);
      if (!started) EXPECT_EQ(started.error(), expected);
      co_await node->stop();
      EXPECT_TRUE(co_await of.files().status("/a/.kafka_cleanshutdown"));
      EXPECT_FALSE(co_await of.files().status("/new"));
      ended = true;
    }(environment, {"log.dirs=" + log_dirs, "metadata.log.dir=" + metadata_log_dir}, sentence, done);
  });
  EXPECT_TRUE(machine.world.run_until([&] { return done; }, 60'000'000));
}

TEST(LogDirectories, ADirectoryThatIsNamedTwiceStopsTheStartAndNothingIsChanged) {
  Machine machine;
  machine.run([](TestBroker&) -> task<void> { co_return; });
  expect_refusal(machine, "/new,/a,/b,/a/", "/m", "log.dirs names /a twice: name every directory once");
  expect_refusal(machine, "/new,/a,/b,/x/.././a", "/m", "log.dirs names one directory twice, as /a and as /x/.././a: name every directory once");
  expect_refusal(machine, "/new,/new/.,/a", "/m", "log.dirs names one directory twice, as /new and as /new/.: name every directory once");
  expect_refusal(machine, "/new,/a,/b", "/./a", "metadata.log.dir: /./a is the directory that log.dirs names as /a: set metadata.log.dir=/a");
}

}  // namespace
}  // namespace moldau::server
