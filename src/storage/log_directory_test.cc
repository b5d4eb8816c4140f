#include "storage/log_directory.h"

#include <gtest/gtest.h>

#include "storage/memory_world_for_test.h"

namespace moldau::storage::test {
namespace {

TEST(PartitionDirectory, IsSplitAtItsLastDash) {
  EXPECT_EQ(parse_partition_directory("a-b-12"), (PartitionDirectory{"a-b", 12, PartitionDirectoryKind::live}));
  EXPECT_EQ(parse_partition_directory("a.b-0.0eeba455d592462a8f6c375799be8405-delete"),
            (PartitionDirectory{"a.b", 0, PartitionDirectoryKind::deleted}));
  for (const char* wrong : {"", "-1", "a", "a-", "a-b", "a--", "lost+found", "a-0-delete", "a-0.-delete", "a-99999999999"})
    EXPECT_EQ(parse_partition_directory(wrong), std::nullopt) << wrong;
}

TEST(PartitionDirectory, CutsALongTopicForDeletion) {
  const std::string topic(249, 'x');
  const std::string unique(32, 'a');
  const std::string name = partition_directory_name(topic, 10, PartitionDirectoryKind::deleted, unique);
  EXPECT_EQ(name.size(), 255U);
  EXPECT_EQ(parse_partition_directory(name)->partition, 10);
}

TEST(LogDirectory, RemembersWhatWasCheckpointedAndHowItWasLeft) {
  MemoryEnvironment environment;
  {
    auto directory = now(LogDirectory::open(environment, "/data/"));
    ASSERT_TRUE(directory);
    EXPECT_TRUE((*directory)->is_empty());
    EXPECT_FALSE((*directory)->had_clean_shutdown());
    environment.disk.directories.insert("/data/t-1");
    environment.disk.directories.insert("/data/__cluster_metadata-0");
    environment.disk.directories.insert("/data/lost+found");
    ASSERT_TRUE(now((*directory)->write_recovery_points({{"t", 1, Offset(5)}})));
    ASSERT_TRUE(now((*directory)->write_high_watermarks({{"t", 1, Offset(7)}})));
    ASSERT_TRUE(now((*directory)->mark_clean_shutdown(19)));
    EXPECT_EQ(as_text(environment.disk.bytes_of("/data/.kafka_cleanshutdown")), "{\"version\":0,\"brokerEpoch\":19}");
  }
  auto directory = now(LogDirectory::open(environment, "/data"));
  ASSERT_TRUE(directory);
  EXPECT_TRUE((*directory)->had_clean_shutdown());
  EXPECT_EQ((*directory)->previous_broker_epoch(), 19);
  EXPECT_TRUE(environment.disk.files.contains("/data/.kafka_cleanshutdown")) << "a start that fails leaves it";
  ASSERT_TRUE(now((*directory)->begin_run(1, 2)));
  EXPECT_FALSE(environment.disk.files.contains("/data/.kafka_cleanshutdown"));
  ASSERT_EQ((*directory)->found().size(), 1U);
  LogOptions options;
  options.topic = "t";
  options.partition = 1;
  (*directory)->fill(options);
  EXPECT_EQ(options.directory, "/data/t-1");
  EXPECT_EQ(options.recovery_point, Offset(5));
  EXPECT_EQ(options.high_watermark, Offset(7));
  EXPECT_EQ(options.log_start_offset, Offset(0));
}

TEST(LogDirectory, BelongsToOneProcess) {
  MemoryEnvironment environment;
  const auto first = now(LogDirectory::open(environment, "/data"));
  ASSERT_TRUE(first);
  const auto second = now(LogDirectory::open(environment, "/data"));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(".lock"), std::string::npos);
}

TEST(LogDirectory, KeepsTheLastBitOfADiskFromClients) {
  MemoryEnvironment environment;
  const auto directory = now(LogDirectory::open(environment, "/data"));
  ASSERT_TRUE(directory);
  const DirectoryHealthPtr health = (*directory)->health();
  EXPECT_TRUE(health->take_room(INT32_MAX)) << "not measured yet";
  environment.disk.total_space_bytes = 1'000'000;
  environment.disk.free_space_bytes = 10'100;
  now((*directory)->measure_room());
  EXPECT_TRUE(health->take_room(60));
  EXPECT_FALSE(health->take_room(60)) << "what was taken since the measurement counts";
  EXPECT_FALSE(health->take_room(1)) << "it overtook a larger one";
  EXPECT_FALSE(health->has_room());
  now((*directory)->measure_room());
  EXPECT_TRUE(health->take_room(100));
  environment.disk.total_space_bytes = environment.disk.free_space_bytes = 1'000'000'000'000;
  now((*directory)->measure_room());
  EXPECT_TRUE(health->take_room(1'000'000'000'000 - 64 * 1024 * 1024));
  EXPECT_FALSE(health->take_room(1));
}

TEST(LogDirectory, IsNotLeftCleanWhenSomethingCouldNotBeWritten) {
  MemoryEnvironment environment;
  const auto directory = now(LogDirectory::open(environment, "/data"));
  ASSERT_TRUE(directory);
  environment.disk.free_space_bytes = 0;
  EXPECT_FALSE(now((*directory)->write_recovery_points({{"t", 1, Offset(5)}})));
  EXPECT_FALSE((*directory)->health()->is_offline());
  environment.disk.free_space_bytes = INT64_MAX;
  EXPECT_FALSE(now((*directory)->mark_clean_shutdown(19)));
  EXPECT_FALSE(environment.disk.files.contains("/data/.kafka_cleanshutdown"));
}

}  // namespace
}  // namespace moldau::storage::test
