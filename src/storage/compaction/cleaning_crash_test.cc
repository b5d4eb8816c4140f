// A power cut at every change of the disk in a round of compaction, on the simulated disk: of what was not synced any part may be lost,
// of a directory's changes any tail. Afterwards the log opens without damage, readers find what was committed, producers
// go on, and a whole round cleans it.
#include "base/log.h"
#include "base/sanitizer.h"
#include "runtime/simulated/simulated_environment.h"
#include "storage/changes_for_test.h"
#include "storage/compaction/history_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::Environment;
using runtime::task;
using runtime::simulated::Node;
using runtime::simulated::World;

constexpr int64_t limit_us = 600'000'000;

struct Story {
  explicit Story(uint64_t seed) : history(seed) {}
  History history;
  Offset end{0};
  bool is_written = false;  // all of it, and on stable storage
  bool is_cleaned = false;
};

// Writes the history, then cleans it twice: the second round meets delete horizons that have passed.
task<void> write_and_clean(Environment& environment, Story& story) {
  (void)co_await runtime::make_directories(environment.files(), "/data");
  OpenFiles open_files(environment.files(), 64);
  auto opened = co_await Log::open(compacted_log_options(environment, open_files));
  EXPECT_TRUE(opened) << opened.error().message;
  if (!opened) co_return;
  Log& log = **opened;
  for (int i = 0; i < 40; ++i) co_await story.history.append_something(log, environment.wall_clock_ms());
  EXPECT_TRUE(co_await log.roll());
  EXPECT_TRUE(co_await log.flush());
  story.end = log.log_end_offset();
  story.is_written = true;
  co_await runtime::yield();
  for (int round = 0; round < 2; ++round) EXPECT_TRUE(co_await story.history.clean_all(log));
  (void)co_await log.remove_deleted_files(INT64_MAX);
  story.is_cleaned = true;
  co_await log.abandon();
}

task<void> open_and_check(Environment& environment, Story& story, bool& is_done) {
  OpenFiles open_files(environment.files(), 64);
  LogOptions options = compacted_log_options(environment, open_files);
  options.recovery_point = story.end;
  LoadReport report;
  auto opened = co_await Log::open(std::move(options), &report);
  EXPECT_TRUE(opened) << opened.error().message;
  if (!opened) co_return;
  Log& log = **opened;
  EXPECT_TRUE(report.damage.empty()) << report.damage.front();
  EXPECT_EQ(report.bytes_cut, 0U);
  EXPECT_EQ(log.log_end_offset(), story.end);
  log.update_high_watermark(log.log_end_offset());
  co_await story.history.check_readers(log);
  story.history.check_producers(log);
  EXPECT_TRUE(co_await story.history.clean_all(log));
  co_await story.history.check_readers(log);
  co_await log.abandon();
  is_done = true;
}

// The power goes right after so many changes to the partition's directory. False: the story was over before.
bool crash_after(uint64_t seed, int changes) {
  World world(seed);
  Node& node = world.add_node("node");
  Story story(seed);
  world.boot(node, [&story](Environment& environment) { return write_and_clean(environment, story); });
  EXPECT_TRUE(world.run_until([&story] { return story.is_written; }, limit_us));
  if (!run_until_changed(world, node, changes, story.is_cleaned)) return false;
  world.crash(node);
  bool is_done = false;
  world.boot(node, [&](Environment& environment) { return open_and_check(environment, story, is_done); });
  EXPECT_TRUE(world.run_until([&is_done] { return is_done; }, limit_us));
  return true;
}

TEST(CleaningCrash, NothingCommittedIsLostWhereverThePowerGoes) {
  const LogLevel level = log_level();
  set_log_level(LogLevel::off);
  uint64_t crashes = 0;
  for (uint64_t seed = 1; seed <= rounds_for_test(10) && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    for (int changes = 0; !testing::Test::HasFailure(); ++changes) {
      SCOPED_TRACE(fmt::format("crash after {} changes", changes));
      if (!crash_after(seed, changes)) break;
      ++crashes;
    }
  }
  RecordProperty("crashes", crashes);
  EXPECT_GT(crashes, rounds_for_test(500));
  set_log_level(level);
}

}  // namespace
}  // namespace moldau::storage::test
