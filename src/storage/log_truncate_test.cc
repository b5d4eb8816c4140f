// What is taken back from the end of a log stays away, whatever happens next, and takes nothing else with it.
#include <algorithm>
#include <utility>

#include "base/sanitizer.h"
#include "storage/log_for_test.h"
#include "storage/simulated_world_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::task;

// The end of a transaction is replicated, so its records may be read, and may be read still when the producers were read again.
TEST(LogTruncate, TheLastStableOffsetDoesNotGoBackBehindTheHighWatermark) {
  LogWorld world;
  world.open();
  protocol::BatchOptions options{.producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = 0, .is_transactional = true};
  ASSERT_TRUE(append(world, batch_of(2, MemoryEnvironment::first_clock_ms, options)));
  options.is_control = true;
  options.base_sequence = -1;
  protocol::BatchBuilder marker(options);
  marker.append(MemoryEnvironment::first_clock_ms, from_hex("00000001"), from_hex("000000000001"));
  Bytes bytes = marker.finish();
  ASSERT_TRUE(now(world.log->append_as_leader({.records = bytes, .origin = AppendOrigin::coordinator, .transaction_version = 1})));
  ASSERT_TRUE(append(world, batch_of(1)));
  ASSERT_TRUE(append(world, batch_of(1)));
  world.log->update_high_watermark(Offset(3));
  ASSERT_EQ(world.log->last_stable_offset(), Offset(3));
  ASSERT_TRUE(now(world.log->truncate_to(Offset(4))));
  EXPECT_EQ(world.log->high_watermark(), Offset(3));
  EXPECT_EQ(world.log->last_stable_offset(), Offset(3));
}

struct SmallSegments : SimulatedLogWorld {
  explicit SmallSegments(uint64_t seed) : SimulatedLogWorld(seed) { options.config.segment_bytes = 300; }  // three batches
};

task<void> write(Log& log, int count, int32_t leader_epoch) {
  for (int i = 0; i < count; ++i) {
    Bytes batch = batch_of(1);
    EXPECT_TRUE(co_await log.append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(leader_epoch)}));
  }
}

// The epochs of the records below `end` that a start finds.
std::vector<int32_t> epochs_found(SimulatedLogWorld& world, Offset recovery_point, bool was_only_killed, Offset end = Offset(INT64_MAX)) {
  world.options.recovery_point = recovery_point;
  world.options.was_only_killed = was_only_killed;
  std::vector<int32_t> epochs;
  world.run([&epochs, end](Log& log) -> task<void> {
    for (Offset at(0); at < std::min(end, log.log_end_offset()); at = at + 1) {
      const auto read = co_await log.read(at, 1, true, ReadIsolation::log_end);
      EXPECT_TRUE(read && read->file);
      if (!read || !read->file) break;
      EXPECT_EQ(read->first_batch_offset, at) << "a hole";
      if (read->first_batch_offset != at) break;
      Bytes bytes(read->size_bytes);
      EXPECT_TRUE(co_await read->file->read_at(read->position, bytes));
      epochs.push_back(protocol::read_batch_header(bytes).leader_epoch.value());
    }
  });
  return epochs;
}

// Eleven records of a history are on stable storage, all but four are taken back, and two of another history are written,
// each as long as the one that it replaces: in the file they fit before the old ones. A stop comes after so many steps of
// the machine; `is_done`: the records had been taken back.
std::vector<int32_t> epochs_after(uint64_t seed, uint64_t steps, bool is_power_cut, bool& is_done) {
  SmallSegments world(seed);
  bool is_begun = false;
  is_done = false;
  world.start([&](Log& log) -> task<void> {
    co_await write(log, 11, 1);
    EXPECT_TRUE(co_await log.flush());
    is_begun = true;
    EXPECT_TRUE(co_await log.truncate_to(Offset(4)));
    is_done = true;
    co_await write(log, 2, 2);
  });
  EXPECT_TRUE(world.world.run_until([&] { return is_begun; }, SimulatedLogWorld::limit_us));
  for (uint64_t i = 0; i < steps && !world.is_told; ++i) world.world.step();
  if (is_power_cut)
    world.cut_power();
  else
    world.kill();
  return epochs_found(world, Offset(4), !is_power_cut);
}

TEST(LogTruncate, WhatWasTakenBackDoesNotComeBackWithAPowerCut) {
  for (uint64_t seed = 0; seed < rounds_for_test(60) && !testing::Test::HasFailure(); ++seed)
    for (uint64_t steps = 0; steps < 120 && !testing::Test::HasFailure(); steps += 3) {
      bool is_done = false;
      const std::vector<int32_t> epochs = epochs_after(seed, steps, true, is_done);
      EXPECT_GE(epochs.size(), 4U);
      EXPECT_TRUE(std::ranges::is_sorted(epochs)) << "the old history behind the new one, seed " << seed << ", " << steps << " steps";
      if (is_done && epochs.size() > 4) EXPECT_EQ(epochs[4], 2) << "seed " << seed << ", " << steps << " steps";
    }
}

// Not taken back, but hidden: the log start that a power cut leaves in the checkpoint is an older one, and recovery reads what
// lies below the new one as well.
TEST(LogTruncate, WhatWasFlushedBehindDeletedRecordsIsThereAfterAPowerCut) {
  for (uint64_t seed = 0; seed < rounds_for_test(60) && !testing::Test::HasFailure(); ++seed) {
    SmallSegments world(seed);
    world.tell([](Log& log) -> task<void> {
      // The flush of the second segment waits for that of the first when its records are deleted.
      for (int i = 0; i < 2; ++i) {
        co_await write(log, 2, 1);
        EXPECT_TRUE(co_await log.roll());
      }
      log.update_high_watermark(log.log_end_offset());
      EXPECT_TRUE(co_await log.delete_records_before(Offset(4)));
      co_await write(log, 1, 1);
      EXPECT_TRUE(co_await log.flush());
    });
    world.cut_power();
    EXPECT_EQ(epochs_found(world, Offset(0), false).size(), 5U) << "seed " << seed;
  }
}

// Two segments are removed before they were flushed, and may come back empty with a power cut. Below the recovery point that
// would pass for damage, and what lies behind would be set aside.
TEST(LogTruncate, UnflushedSegmentsThatWereRemovedDoNotComeBackBelowTheRecoveryPoint) {
  for (uint64_t seed = 0; seed < rounds_for_test(60) && !testing::Test::HasFailure(); ++seed) {
    SmallSegments world(seed);
    bool is_removed = false;
    world.tell([&](Log& log) -> task<void> {
      co_await write(log, 2, 1);
      // The flush of the second segment waits for that of the first, until it is too late.
      const auto usual_us = std::exchange(world.node.disk_faults.latency_us_max, 60'000'000);
      EXPECT_TRUE(co_await log.roll());
      co_await runtime::sleep_ms(1);
      world.node.disk_faults.latency_us_max = usual_us;
      co_await write(log, 2, 1);
      EXPECT_TRUE(co_await log.roll());
      log.update_high_watermark(log.log_end_offset());
      EXPECT_TRUE(co_await log.delete_records_before(Offset(4)));
      is_removed = (co_await log.delete_old_segments()).value_or(0) == 2;
      EXPECT_TRUE(co_await log.flush());
      EXPECT_EQ(log.recovery_point(), Offset(4));
      co_await write(log, 1, 1);
    });
    world.cut_power();
    ASSERT_TRUE(is_removed);
    world.options.recovery_point = Offset(4);
    world.run([](Log&) { return runtime::ready(); });
    if (!world.report.damage.empty()) ADD_FAILURE() << world.report.damage.front();
  }
}

// It begins while the log still ends where it did, and is over when records of the new history have taken it there again.
TEST(LogTruncate, AFlushThatBeginsMeanwhileCountsNothingThatIsWrittenBehindIt) {
  for (uint64_t seed = 0; seed < rounds_for_test(60) && !testing::Test::HasFailure(); ++seed) {
    SmallSegments world(seed);
    world.node.disk_faults.later = 0.7;
    Offset durable(0);
    world.tell([&durable](Log& log) -> task<void> {
      co_await write(log, 11, 1);
      runtime::Scope meanwhile;
      meanwhile.spawn([](Log& cut) -> task<void> { EXPECT_TRUE(co_await cut.truncate_to(Offset(4))); }(log));
      for (int i = 0; i < 5; ++i) {
        meanwhile.spawn([](Log& flushed) -> task<void> { EXPECT_TRUE(co_await flushed.flush()); }(log));
        co_await runtime::yield();
      }
      while (log.log_end_offset() != Offset(4)) co_await runtime::yield();
      co_await write(log, 7, 2);
      co_await meanwhile.join();
      durable = log.durable_end_offset();
    });
    world.cut_power();
    EXPECT_EQ(std::ssize(epochs_found(world, Offset(0), false, durable)), durable.value()) << "seed " << seed;
  }
}

TEST(LogTruncate, AKillInBetweenLeavesNoHole) {
  for (uint64_t steps = 0; steps < 120 && !testing::Test::HasFailure(); ++steps) {
    bool is_done = false;
    EXPECT_TRUE(std::ranges::is_sorted(epochs_after(1, steps, false, is_done))) << steps << " steps";
  }
}

}  // namespace
}  // namespace moldau::storage::test
