// A client whose node was killed sends again what it got no answer to: up to five batches, all of which must be known.
#include <gtest/gtest.h>

#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

Bytes batch_with(int32_t sequence, int16_t epoch = 0) {
  return batch_of(2, 1'750'000'000'000, {.producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(epoch), .base_sequence = sequence});
}

void expect_five_repeats_known(LogWorld& world, bool was_only_killed, Offset recovery_point) {
  world.crash();
  LogOptions options = world.options();
  options.was_only_killed = was_only_killed;
  options.recovery_point = recovery_point;
  world.open(std::move(options));
  for (int32_t i = 5; i < 10; ++i) {
    const auto repeat = append(world, batch_with(2 * i));
    ASSERT_TRUE(repeat) << "batch " << i << ": " << repeat.error().message;
    EXPECT_TRUE(repeat->is_duplicate) << "batch " << i;
    EXPECT_EQ(repeat->first_offset, Offset(2 * i));
  }
  const auto next = append(world, batch_with(20));
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->first_offset, Offset(20));
}

TEST(LogRecall, FiveBatchesBeforeASnapshotAreKnownAfterAKill) {
  for (const bool was_only_killed : {true, false}) {
    LogWorld world;
    world.config.index_interval_bytes = 1;
    world.open();
    for (int32_t i = 0; i < 10; ++i) ASSERT_TRUE(append(world, batch_with(2 * i)));
    ASSERT_TRUE(now(world.log->take_producer_snapshot()));
    expect_five_repeats_known(world, was_only_killed, Offset(0));
  }
}

TEST(LogRecall, FiveBatchesThatLieInSeveralSegmentsAreKnownAfterAKill) {
  for (const bool was_only_killed : {true, false}) {
    LogWorld world;
    world.open();
    for (int32_t i = 0; i < 10; ++i) {
      ASSERT_TRUE(append(world, batch_with(2 * i)));
      if (i == 6 || i == 8 || i == 9) ASSERT_TRUE(now(world.log->roll()));
    }
    expect_five_repeats_known(world, was_only_killed, Offset(20));
  }
}

TEST(LogRecall, BatchesOfAnEarlierEpochAreNotKnownAgain) {
  LogWorld world;
  world.open();
  for (int32_t i = 0; i < 3; ++i) ASSERT_TRUE(append(world, batch_with(2 * i)));
  ASSERT_TRUE(append(world, batch_with(0, 1)));
  ASSERT_TRUE(now(world.log->take_producer_snapshot()));
  world.crash();
  world.reopen(false, Offset(0));
  EXPECT_EQ(world.log->producers().find(ProducerId(7))->batch_count, 1);
  const auto fenced = append(world, batch_with(4));
  ASSERT_FALSE(fenced);
  EXPECT_EQ(fenced.error().code, protocol::ErrorCode::invalid_producer_epoch);
}

}  // namespace
}  // namespace moldau::storage::test
