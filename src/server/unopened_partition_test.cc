// A partition whose log cannot be opened: it alone is away, and nothing of it is forgotten until it can be.
#include "server/log_directories_for_test.h"

namespace moldau::server {
namespace {

const std::vector<std::string> only_directory = {"log.dirs=/a", "metadata.log.dir=/a"};

task<void> delete_topic(TestBroker& broker, std::string topic) {
  protocol::DeleteTopicsRequest request;
  request.topics.emplace_back().name = topic;
  const auto response = co_await broker.ask<protocol::DeleteTopicsResponse>(std::move(request));
  EXPECT_EQ(response.responses.at(0).error_code, 0);
}

// "t" with partitions 0 and 1, three records in each, of which the first two are deleted in partition 0.
void prepare(Machine& machine) {
  machine.run([](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 2);
    for (int32_t partition = 0; partition < 2; ++partition)
      for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await produce(broker, "t", partition, "x"), 0);
    co_await delete_records(broker, "t", 0, 2);
  }, only_directory);
}

TEST(UnopenedPartition, OneThatANewerReleaseWroteToIsRefusedUntouchedAndKeepsItsLogStart) {
  Machine machine;
  prepare(machine);
  const std::string path = "/a/t-0/00000000000000000000.log";
  runtime::simulated::InodePtr file;
  ASSERT_EQ(machine.node.disk.find(path, file), 0);
  const Bytes before = file->seen;
  protocol::BatchBuilder builder(protocol::BatchOptions{});
  builder.append(1'750'000'000'000, std::nullopt, as_bytes("x"));
  Bytes newer = builder.finish();
  protocol::patch_base_offset(newer, Offset(3));
  newer[16] = std::byte{3};
  ASSERT_EQ(machine.node.disk.write(*file, before.size(), newer, 0), 0);
  const Bytes with_newer = file->seen;
  for (int i = 0; i < 2; ++i) {  // after a clean stop, and after one that was none for this partition
    machine.run([](TestBroker& broker) -> task<void> {
      EXPECT_EQ(find(broker, "t", 0), nullptr);
      EXPECT_EQ(co_await produce(broker, "t", 0, "y"), static_cast<int16_t>(ErrorCode::kafka_storage_error));
      EXPECT_EQ(co_await produce(broker, "t", 1, "y"), 0);
      co_await runtime::sleep_ms(200'000);  // checkpoints are written
    }, only_directory);
    EXPECT_EQ(file->seen, with_newer);
  }
  ASSERT_EQ(machine.node.disk.truncate(*file, before.size(), 0), 0);
  machine.run([](TestBroker& broker) -> task<void> {
    EXPECT_NE(find(broker, "t", 0), nullptr);
    if (find(broker, "t", 0) == nullptr) co_return;
    EXPECT_EQ(find(broker, "t", 0)->log().log_start_offset(), Offset(2)) << "deleted records are there again";
    EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(3));
    EXPECT_EQ(co_await produce(broker, "t", 0, "z"), 0);
  }, only_directory);
}

TEST(UnopenedPartition, ATopicWithTheNameOfAStrayOneBeginsAtZero) {
  Machine machine;
  const std::vector<std::string> both = {"log.dirs=/a,/b", "metadata.log.dir=/m"};
  std::string where;
  machine.run([&](TestBroker& broker) -> task<void> {
    co_await create(broker, "t", 1);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await produce(broker, "t", 0, "x"), 0);
    co_await delete_records(broker, "t", 0, 2);
    where = directory_of(broker, "t", 0);
  }, both);
  // While its directory is away the topic is deleted.
  machine.run([](TestBroker& broker) -> task<void> { co_await delete_topic(broker, "t"); },
              {"log.dirs=" + std::string(where == "/a" ? "/b" : "/a"), "metadata.log.dir=/m"});
  machine.run([&](TestBroker& broker) -> task<void> {
    EXPECT_EQ(co_await move(broker, "t", 0, where), static_cast<int16_t>(ErrorCode::unknown_topic_or_partition));
    co_await create(broker, "t", 1);
    EXPECT_EQ(directory_of(broker, "t", 0), where);
    EXPECT_EQ(find(broker, "t", 0)->log().log_start_offset(), Offset(0));
    EXPECT_EQ(find(broker, "t", 0)->log().log_end_offset(), Offset(0));
  }, both);
}

}  // namespace
}  // namespace moldau::server
