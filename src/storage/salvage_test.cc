#include "storage/salvage.h"

#include <gtest/gtest.h>

#include <array>

#include "base/log.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr const char* first_log = "00000000000000000000.log";

// Two segments of twenty batches of two records each.
struct StoppedLog {
  LogWorld world;
  LogLevel level = log_level();

  StoppedLog() {
    set_log_level(LogLevel::off);
    world.config.index_interval_bytes = 300;
    world.open();
    for (int segment = 0; segment < 2; ++segment) {
      if (segment > 0) EXPECT_TRUE(now(world.log->roll()));
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(append(world, batch_of(2, 1'750'000'000'000 + segment * 100 + i)));
    }
    EXPECT_TRUE(now(world.log->flush()));
    EXPECT_TRUE(now(world.log->close()));
    world.log.reset();
  }
  ~StoppedLog() { set_log_level(level); }
  [[nodiscard]] Bytes& file(const char* name) { return world.environment.disk.bytes_of(world.path(name)); }
  [[nodiscard]] Bytes& saved(const std::string& name) { return world.environment.disk.bytes_of("/saved/t-0/" + name); }
};

TEST(Salvage, CopiesAllButTheDamagedBatchAndChangesNothing) {
  StoppedLog stopped;
  const size_t batch_bytes = stopped.file(first_log).size() / 20;
  Bytes expected = stopped.file(first_log);
  stopped.file(first_log)[5 * batch_bytes + 40] ^= std::byte{1};
  expected.erase(expected.begin() + static_cast<ptrdiff_t>(5 * batch_bytes), expected.begin() + static_cast<ptrdiff_t>(6 * batch_bytes));
  std::map<std::string, Bytes> before;
  for (const auto& [path, node] : stopped.world.environment.disk.files) before[path] = node->bytes;

  const auto salvaged = now(salvage_partition(stopped.world.environment, "/data/t-0", "/saved/t-0", {}));
  ASSERT_TRUE(salvaged) << salvaged.error().message;
  EXPECT_EQ(salvaged->segments, 2U);
  EXPECT_EQ(salvaged->first_offset, Offset(0));
  EXPECT_EQ(salvaged->end_offset, Offset(80));
  ASSERT_EQ(salvaged->left_out.size(), 1U);
  EXPECT_EQ(salvaged->left_out[0].first_offset, Offset(10));
  EXPECT_EQ(salvaged->left_out[0].end_offset, Offset(12));
  EXPECT_EQ(salvaged->left_out[0].position, 5 * batch_bytes);
  EXPECT_TRUE(equal(stopped.saved(first_log), expected));
  for (const auto& [path, bytes] : before) EXPECT_TRUE(equal(stopped.world.environment.disk.bytes_of(path), bytes)) << path;

  // What was saved is a partition that opens.
  LogOptions options = stopped.world.options();
  options.directory = "/saved/t-0";
  options.had_clean_shutdown = true;
  stopped.world.open(std::move(options));
  EXPECT_EQ(stopped.world.log->log_end_offset(), Offset(80));
  const auto read = now(stopped.world.log->read(Offset(12), 1000, true, ReadIsolation::log_end));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first_batch_offset, Offset(12));
}

TEST(Salvage, TakesNoDirectoryThatIsThere) {
  StoppedLog stopped;
  EXPECT_FALSE(now(salvage_partition(stopped.world.environment, "/data/t-0", "/data/t-0", {})));
}

TEST(Salvage, RefusesADirectoryThatANodeHas) {
  StoppedLog stopped;
  stopped.world.environment.disk.files["/data/.lock"] = std::make_shared<MemoryFileSystem::Node>();
  auto& files = stopped.world.environment.disk;
  {
    const auto held = now(lock_of_partition(files, "/data/t-0"));
    ASSERT_TRUE(held);
    EXPECT_FALSE(now(lock_of_partition(files, "/data/t-0/")));
  }
  EXPECT_TRUE(now(lock_of_partition(files, "/data/t-0")));
}

TEST(RepairIndexes, BuildsWhatIsWrongOrMissingAndLeavesTheRest) {
  StoppedLog stopped;
  auto& disk = stopped.world.environment.disk;
  const auto untouched = now(repair_indexes(stopped.world.environment, "/data/t-0", {}));
  ASSERT_TRUE(untouched) << untouched.error().message;
  EXPECT_TRUE(untouched->repaired.empty());

  stopped.file("00000000000000000000.index")[6] ^= std::byte{2};
  disk.files.erase(stopped.world.path("00000000000000000040.timeindex"));
  const auto repaired = now(repair_indexes(stopped.world.environment, "/data/t-0", {}));
  ASSERT_TRUE(repaired) << repaired.error().message;
  ASSERT_EQ(repaired->repaired.size(), 2U);
  EXPECT_TRUE(repaired->repaired[0].file.ends_with("00000000000000000000.index"));
  EXPECT_TRUE(repaired->repaired[1].file.ends_with("00000000000000000040.timeindex"));
  EXPECT_TRUE(repaired->damaged.empty());
  const auto again = now(repair_indexes(stopped.world.environment, "/data/t-0", {}));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repaired.empty()) << again->repaired[0].file << ": " << again->repaired[0].fault;
}

TEST(RepairIndexes, FindsTheAbortedTransactionsOfALostTransactionIndex) {
  const LogLevel level = log_level();
  set_log_level(LogLevel::off);
  LogWorld world;
  const auto transactional = [](bool is_marker) {
    protocol::BatchBuilder builder({.producer_id = ProducerId(7),
                                    .producer_epoch = ProducerEpoch(0),
                                    .base_sequence = is_marker ? -1 : 0,
                                    .is_transactional = true,
                                    .is_control = is_marker});
    const std::array<std::byte, 4> abort{};  // version 0, type 0
    const std::array<std::byte, 6> coordinator{};
    if (is_marker)
      builder.append(1'750'000'000'000, ByteView(abort), ByteView(coordinator));
    else
      builder.append(1'750'000'000'000, as_bytes("key"), as_bytes("value"));
    return builder.finish();
  };
  put_file(world, first_log, [&] {
    Bytes log = transactional(false);
    Bytes marker = transactional(true);
    protocol::patch_base_offset(marker, Offset(1));
    add(log, marker);
    return log;
  }());
  const std::string index = world.path("00000000000000000000.txnindex");
  const auto repaired = now(repair_indexes(world.environment, "/data/t-0", {}));
  ASSERT_TRUE(repaired) << repaired.error().message;
  ASSERT_TRUE(world.environment.disk.files.contains(index));
  const Bytes& written = world.environment.disk.bytes_of(index);
  ASSERT_EQ(written.size(), 34U);
  EXPECT_EQ(load_be<int64_t>(written.data() + 2), 7);
  EXPECT_EQ(load_be<int64_t>(written.data() + 10), 0);
  EXPECT_EQ(load_be<int64_t>(written.data() + 18), 1);
  world.environment.disk.bytes_of(index)[1] ^= std::byte{1};  // its version
  EXPECT_EQ(now(repair_indexes(world.environment, "/data/t-0", {}))->repaired.size(), 1U);
  EXPECT_TRUE(now(repair_indexes(world.environment, "/data/t-0", {}))->repaired.empty());
  set_log_level(level);
}

}  // namespace
}  // namespace moldau::storage::test
