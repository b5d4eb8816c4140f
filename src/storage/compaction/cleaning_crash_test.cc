// A power cut at every change of the disk in a round of compaction, on the simulated disk: of what was not synced any part may be lost,
// of a directory's changes any tail. Afterwards the log opens without damage, readers find what was committed, producers
// go on, and a whole round cleans it.
#include "base/log.h"
#include "base/sanitizer.h"
#include "storage/changes_for_test.h"
#include "storage/compaction/history_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::task;

struct CrashStory : SimulatedLogWorld {
  explicit CrashStory(uint64_t seed) : SimulatedLogWorld(seed), history(seed) {
    options = compacted_log_options();
    open_files_max = 64;
  }
  History history;
  bool is_written = false;  // all of it, and on stable storage
};

// Writes the history, then cleans it twice: the second round meets delete horizons that have passed.
task<void> write_and_clean(Log& log, CrashStory& story) {
  for (int i = 0; i < 40; ++i) co_await story.history.append_something(log, log.environment().wall_clock_ms());
  EXPECT_TRUE(co_await log.roll());
  EXPECT_TRUE(co_await log.flush());
  story.options.recovery_point = log.log_end_offset();
  story.is_written = true;
  co_await runtime::yield();
  for (int round = 0; round < 2; ++round) EXPECT_TRUE(co_await story.history.clean_all(log));
  (void)co_await log.remove_deleted_files(INT64_MAX);
}

task<void> check(Log& log, const CrashStory& story) {
  EXPECT_TRUE(story.report.damage.empty()) << story.report.damage.front();
  EXPECT_EQ(story.report.bytes_cut, 0U);
  EXPECT_EQ(log.log_end_offset(), story.options.recovery_point);
  log.update_high_watermark(log.log_end_offset());
  co_await story.history.check_readers(log);
  story.history.check_producers(log);
  EXPECT_TRUE(co_await story.history.clean_all(log));
  co_await story.history.check_readers(log);
}

// The power goes right after so many changes to the partition's directory. False: the story was over before.
bool crash_after(uint64_t seed, int changes) {
  CrashStory story(seed);
  story.start([&story](Log& log) { return write_and_clean(log, story); });
  EXPECT_TRUE(story.world.run_until([&story] { return story.is_written; }, SimulatedLogWorld::limit_us));
  if (!run_until_changed(story.world, story.node, changes, story.is_told)) return false;
  story.cut_power();
  story.run([&story](Log& log) { return check(log, story); });
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
