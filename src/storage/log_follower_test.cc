// Several batches in one append, as followers and moves to another directory have them.
#include <gtest/gtest.h>

#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

Bytes transactional(int64_t offset, int64_t producer, int32_t sequence) {
  return batch_of(1, MemoryEnvironment::first_clock_ms,
                  {.base_offset = Offset(offset), .leader_epoch = LeaderEpoch(0), .producer_id = ProducerId(producer), .producer_epoch = ProducerEpoch(0),
                   .base_sequence = sequence, .is_transactional = true});
}

Bytes abort_of(int64_t offset, int64_t producer) {
  protocol::BatchBuilder builder({.base_offset = Offset(offset), .leader_epoch = LeaderEpoch(0), .producer_id = ProducerId(producer),
                                  .producer_epoch = ProducerEpoch(0), .is_transactional = true, .is_control = true});
  builder.append(MemoryEnvironment::first_clock_ms, from_hex("00000000"), from_hex("000000000001"));
  return builder.finish();
}

// An entry of the transaction index says how far readers need not look behind it. It must not be further than its marker.
TEST(LogFollower, AnAbortedTransactionIsHiddenThoughAnEarlierOneCameInTheSameAppend) {
  LogWorld world;
  world.config.index_interval_bytes = 1;
  world.open();
  Bytes several;
  add(several, transactional(0, 7, 0));
  add(several, abort_of(1, 7));
  add(several, transactional(2, 7, 1));
  add(several, abort_of(3, 7));
  add(several, transactional(4, 8, 0));
  ASSERT_TRUE(now(world.log->append_as_follower(several, LeaderEpoch(0))));
  const auto aborted = now(world.log->aborted_between(Offset(0), Offset(5)));
  ASSERT_TRUE(aborted);
  ASSERT_EQ(aborted->size(), 2U);
  EXPECT_EQ(aborted->front().last_stable_offset, Offset(2));
  EXPECT_EQ(aborted->back().last_stable_offset, Offset(4));
  const auto overlapping = now(world.log->aborted_between(Offset(2), Offset(3)));
  ASSERT_TRUE(overlapping);
  ASSERT_EQ(overlapping->size(), 1U) << "readers of committed data would be given what was aborted";
  EXPECT_EQ(overlapping->front().first_offset, Offset(2));
}

}  // namespace
}  // namespace moldau::storage::test
