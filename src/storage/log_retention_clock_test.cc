// Retention and expiry by time: which time counts, and a clock that jumps.
#include <gtest/gtest.h>

#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr int64_t hour_ms = 3'600'000;
constexpr int64_t year_ms = 365 * 24 * hour_ms;

struct RetentionWorld : LogWorld {
  runtime::TrustedClock clock{environment};

  RetentionWorld() {
    config.retention_ms = 10 * hour_ms;
    reopen_by_clock();
  }
  void reopen_by_clock() {
    crash();
    LogOptions made = options();
    made.clock = &clock;
    open(std::move(made));
  }
  // A segment with one batch of this time.
  void add_segment(int64_t timestamp_ms, protocol::BatchOptions batch = {}) {
    EXPECT_TRUE(append(*this, batch_of(2, timestamp_ms, batch)));
    EXPECT_TRUE(now(log->roll()));
    log->update_high_watermark(log->log_end_offset());
  }
  int delete_old() { return *now(log->delete_old_segments()); }
};

TEST(LogRetentionClock, TheNewestRecordOfASegmentCounts) {
  RetentionWorld world;
  const int64_t now_ms = world.environment.clock_ms;
  world.config.timestamp_after_max_ms = INT64_MAX;
  world.log->update_config(world.config);
  world.add_segment(now_ms - 11 * hour_ms);   // old when it came
  world.add_segment(now_ms + 100 * hour_ms);  // from the future
  world.add_segment(now_ms - 11 * hour_ms);   // behind it: segments go in order
  EXPECT_EQ(world.delete_old(), 1);
  world.environment.advance_ms(109 * hour_ms);
  EXPECT_EQ(world.delete_old(), 0);
  world.environment.advance_ms(2 * hour_ms);
  EXPECT_EQ(world.delete_old(), 2);
}

TEST(LogRetentionClock, AClockThatJumpsDeletesNothingThatIsNotOld) {
  RetentionWorld world;
  for (int i = 0; i < 4; ++i) {
    world.add_segment(world.environment.clock_ms);
    world.environment.advance_ms(hour_ms);
  }
  world.environment.jump_ms(10 * year_ms);
  EXPECT_EQ(world.delete_old(), 0);
  world.environment.advance_ms(7 * hour_ms);
  EXPECT_EQ(world.delete_old(), 1) << "time that has passed counts all the same";
  world.environment.jump_ms(-10 * year_ms);
  EXPECT_EQ(world.delete_old(), 0);
  world.environment.jump_ms(10 * year_ms);
  world.clock.set_bound_ms(11 * year_ms);
  EXPECT_EQ(world.delete_old(), 3) << "confirmed";
}

TEST(LogRetentionClock, AClockThatJumpsForgetsNoProducer) {
  RetentionWorld world;
  world.add_segment(world.environment.clock_ms, {.producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = 0});
  world.environment.jump_ms(year_ms);
  world.log->expire_producers();
  EXPECT_NE(world.log->producers().find(ProducerId(7)), nullptr);
  world.reopen_by_clock();
  EXPECT_NE(world.log->producers().find(ProducerId(7)), nullptr) << "nor does a start";
  world.environment.advance_ms(25 * hour_ms);
  world.log->expire_producers();
  EXPECT_EQ(world.log->producers().find(ProducerId(7)), nullptr);
}

TEST(LogRetentionClock, AChangedRetentionCountsAtOnce) {
  RetentionWorld world;
  world.add_segment(world.environment.clock_ms);
  world.environment.advance_ms(2 * hour_ms);
  EXPECT_EQ(world.delete_old(), 0);
  world.config.retention_ms = hour_ms;
  world.log->update_config(world.config);
  EXPECT_EQ(world.delete_old(), 1);
}

}  // namespace
}  // namespace moldau::storage::test
