// Random histories that are cleaned again and again, with crashes and clean stops between: for every key the last
// committed value stays the same, whatever was cleaned how often. Same seed, same story.
#include "base/log.h"
#include "base/sanitizer.h"
#include "storage/compaction/history_for_test.h"

namespace moldau::storage::test {
namespace {

class CleaningStory {
 public:
  explicit CleaningStory(uint64_t seed) : history_(seed) {
    world_.config.is_compacted = true;
    world_.config.is_deleted = false;
    world_.config.segment_bytes = static_cast<uint32_t>(300 + history_.pick(1500));
    world_.config.index_interval_bytes = static_cast<uint32_t>(1 + history_.pick(400));
    world_.config.segment_index_bytes = 1024;
    world_.config.delete_retention_ms = history_.pick(3) == 0 ? 0 : 2'000;
    world_.config.file_delete_delay_ms = 0;
    world_.open();
  }

  void step() {
    switch (history_.pick(24)) {
      case 0: roll(); break;
      case 1:
      case 2: clean(); break;
      case 3: crash(); break;
      case 4: stop(); break;
      case 5: world_.environment.advance_ms(history_.pick(3'000)); break;
      case 6: ASSERT_TRUE(now(world_.log->remove_deleted_files(INT64_MAX))); break;
      case 7: flush(); break;
      default: now(history_.append_something(*world_.log, world_.environment.clock_ms)); break;
    }
    if (testing::Test::HasFailure()) return;
    history_.check_producers(*world_.log);
  }

  void check() {
    now(history_.check_readers(*world_.log));
    now(history_.check_is_clean(*world_.log, checkpoint_));
  }

  [[nodiscard]] int rounds() const { return rounds_; }

 private:
  void roll() {
    if (world_.log->segments().back().size_bytes == 0) return;
    ASSERT_TRUE(now(world_.log->roll()));
  }

  void flush() {
    ASSERT_TRUE(now(world_.log->flush()));
  }

  void clean() {
    // Now and then from further back than need be, as after a checkpoint that was lost.
    const bool is_from_start = history_.pick(6) == 0;
    const Offset from = is_from_start ? world_.log->log_start_offset() : checkpoint_;
    const auto found = now(measure_cleanable(*world_.log, from, world_.environment.clock_ms));
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_FALSE(found->is_checkpoint_wrong);
    CleaningTerms terms;
    terms.io_buffer_bytes = 4096;
    if (history_.pick(3) == 0) terms.map = {OffsetMapLimits::slot_bytes * static_cast<uint64_t>(2 + history_.pick(8)), 0.9};
    int64_t blocks_left = history_.pick(8) == 0 ? history_.pick(6) : INT64_MAX;
    terms.should_stop = [&blocks_left] { return blocks_left-- <= 0; };
    const auto outcome = now(clean_log(*world_.log, found->range, terms));
    ASSERT_TRUE(outcome) << outcome.error().message;
    if (outcome->is_finished) {
      ++rounds_;
      checkpoint_ = std::max(checkpoint_, outcome->next_dirty);
      ASSERT_LE(outcome->next_dirty, found->range.first_uncleanable);
    }
    check();
  }

  // The process dies. What it had written is there, its checkpoints are old.
  void crash() {
    const Offset end = world_.log->log_end_offset();
    const Offset recovery_point = history_.pick(2) == 0 ? world_.log->recovery_point() : Offset(0);
    world_.crash();
    if (history_.pick(3) == 0) std::erase_if(world_.environment.disk.files, [](const auto& file) { return file.first.ends_with(".snapshot"); });
    world_.reopen(false, recovery_point, Offset(0), end);
    ASSERT_TRUE(world_.report.damage.empty()) << world_.report.damage.front();
    ASSERT_EQ(world_.log->log_end_offset(), end);
    world_.log->update_high_watermark(end);
    check();
  }

  void stop() {
    const Offset end = world_.log->log_end_offset();
    ASSERT_TRUE(now(world_.log->flush()));
    ASSERT_TRUE(now(world_.log->close()));
    world_.log.reset();
    world_.reopen(true, end, Offset(0), end);
    ASSERT_EQ(world_.log->log_end_offset(), end);
    check();
  }

  History history_;
  LogWorld world_;
  Offset checkpoint_{0};
  int rounds_ = 0;
};

TEST(CleaningModel, KeepsTheLastCommittedValueOfEveryKey) {
  const LogLevel level = log_level();
  set_log_level(LogLevel::off);
  uint64_t rounds = 0;
  for (uint64_t seed = 1; seed <= rounds_for_test(60) && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    CleaningStory story(seed);
    for (int i = 0; i < 300 && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE(fmt::format("step {}", i));
      story.step();
    }
    rounds += story.rounds();
  }
  EXPECT_GT(rounds, rounds_for_test(500));
  set_log_level(level);
}

}  // namespace
}  // namespace moldau::storage::test
