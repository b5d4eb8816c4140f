// What producers did in a history that was taken back goes with it, also from the disk.
#include <gtest/gtest.h>

#include "base/sanitizer.h"
#include "runtime/simulated/world.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::Environment;
using runtime::task;
using runtime::simulated::Node;
using runtime::simulated::World;

constexpr int64_t minute_us = 60'000'000;
constexpr ProducerId of_both(7);
constexpr ProducerId of_the_new_one(8);

LogOptions options_of(Environment& environment, OpenFiles& open_files) {
  LogOptions options;
  options.environment = &environment;
  options.open_files = &open_files;
  options.health = std::make_shared<DirectoryHealth>("/data");
  options.directory = "/data/t-0";
  options.topic = "t";
  options.topic_id = Uuid{1, 2};
  options.config.segment_index_bytes = 4096;
  options.producers.producer_id_expiration_ms = INT64_MAX;
  return options;
}

task<AppendInfo> write(Log& log, ProducerId producer, int32_t sequence) {
  Bytes batch = batch_of(1, 1'750'000'000'000, {.producer_id = producer, .producer_epoch = ProducerEpoch(0), .base_sequence = sequence});
  const auto written = co_await log.append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(1)});
  EXPECT_TRUE(written) << written.error().message;
  co_return written.value_or(AppendInfo());
}

struct Story {
  Offset recovery_point{0};
  bool is_done = false;
};

// Eleven records of a history with snapshots at 6 and at 10, on stable storage; all but four are taken back, and eight records of
// another history follow in the same leader epoch, on stable storage as well.
task<void> replace_history(Environment& environment, Story& story) {
  auto* const open_files = new OpenFiles(environment.files(), 16);  // of a process that does not end in order
  EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
  Log& log = *(co_await Log::open(options_of(environment, *open_files)))->release();
  for (int32_t sequence = 0; sequence < 11; ++sequence) {
    if (sequence == 6) EXPECT_TRUE(co_await log.take_producer_snapshot());
    if (sequence == 10) EXPECT_TRUE(co_await log.roll());
    co_await write(log, of_both, sequence);
  }
  EXPECT_TRUE(co_await log.flush());
  EXPECT_TRUE(co_await log.truncate_to(Offset(4)));
  for (int32_t sequence = 0; sequence < 8; ++sequence) co_await write(log, of_the_new_one, sequence);
  EXPECT_TRUE(co_await log.flush());
  story.recovery_point = log.recovery_point();
  story.is_done = true;
  co_await runtime::sleep_ms(1'000'000);
}

// Both go on behind the new history, and what they repeat of it is known.
task<void> go_on(Environment& environment, Offset recovery_point) {
  OpenFiles open_files(environment.files(), 16);
  LogOptions options = options_of(environment, open_files);
  options.recovery_point = recovery_point;
  auto log = std::move(*co_await Log::open(std::move(options)));
  EXPECT_EQ(log->log_end_offset(), Offset(12));
  EXPECT_TRUE((co_await write(*log, of_both, 3)).is_duplicate);
  EXPECT_FALSE((co_await write(*log, of_both, 4)).is_duplicate);
  for (int32_t sequence = 3; sequence < 8; ++sequence) EXPECT_TRUE((co_await write(*log, of_the_new_one, sequence)).is_duplicate);
  EXPECT_FALSE((co_await write(*log, of_the_new_one, 8)).is_duplicate);
  co_await log->abandon();
}

std::vector<std::string> snapshots_on(const runtime::simulated::Disk& disk) {
  std::vector<std::string> found = disk.files("/data/t-0");
  std::erase_if(found, [](const std::string& path) { return !path.ends_with(".snapshot"); });
  return found;
}

// A start behind a power cut would pass one over, for it reads the last segment again; who puts names in another order on the disk
// than they were made, or goes by the newest snapshot alone, would not.
TEST(LogTruncateProducers, NoSnapshotOfWhatWasTakenBackComesBackWithAPowerCut) {
  for (uint64_t seed = 0; seed < rounds_for_test(60) && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world(seed);
    Node& node = world.add_node("node");
    Story story;
    world.boot(node, [&](Environment& environment) { return replace_history(environment, story); });
    ASSERT_TRUE(world.run_until([&] { return story.is_done; }, minute_us));
    EXPECT_EQ(story.recovery_point, Offset(12));
    world.crash(node);
    EXPECT_EQ(snapshots_on(node.disk), std::vector<std::string>{"/data/t-0/00000000000000000004.snapshot"});
    world.boot(node, [&](Environment& environment) { return go_on(environment, story.recovery_point); });
    ASSERT_TRUE(world.run_until([&] { return !node.is_running(); }, minute_us));
  }
}

}  // namespace
}  // namespace moldau::storage::test
