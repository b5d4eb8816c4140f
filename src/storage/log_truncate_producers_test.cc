// What producers did in a history that was taken back goes with it, also from the disk.
#include "base/sanitizer.h"
#include "storage/log_for_test.h"
#include "storage/simulated_world_for_test.h"

namespace moldau::storage::test {
namespace {

using runtime::task;

constexpr ProducerId of_both(7);
constexpr ProducerId of_the_new_one(8);

task<AppendInfo> write(Log& log, ProducerId producer, int32_t sequence) {
  Bytes batch = batch_of(1, log.environment().wall_clock_ms(), {.producer_id = producer, .producer_epoch = ProducerEpoch(0), .base_sequence = sequence});
  const auto written = co_await log.append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(1)});
  EXPECT_TRUE(written) << written.error().message;
  co_return written.value_or(AppendInfo());
}

// Eleven records of a history with snapshots at 6 and at 10, on stable storage; all but four are taken back, and eight records of
// another history follow in the same leader epoch, on stable storage as well.
task<void> replace_history(Log& log) {
  for (int32_t sequence = 0; sequence < 11; ++sequence) {
    if (sequence == 6) EXPECT_TRUE(co_await log.take_producer_snapshot());
    if (sequence == 10) EXPECT_TRUE(co_await log.roll());
    co_await write(log, of_both, sequence);
  }
  EXPECT_TRUE(co_await log.flush());
  EXPECT_TRUE(co_await log.truncate_to(Offset(4)));
  for (int32_t sequence = 0; sequence < 8; ++sequence) co_await write(log, of_the_new_one, sequence);
  EXPECT_TRUE(co_await log.flush());
  EXPECT_EQ(log.recovery_point(), Offset(12));
}

// Both go on behind the new history, and what they repeat of it is known.
task<void> go_on(Log& log) {
  EXPECT_EQ(log.log_end_offset(), Offset(12));
  EXPECT_TRUE((co_await write(log, of_both, 3)).is_duplicate);
  EXPECT_FALSE((co_await write(log, of_both, 4)).is_duplicate);
  for (int32_t sequence = 3; sequence < 8; ++sequence) EXPECT_TRUE((co_await write(log, of_the_new_one, sequence)).is_duplicate);
  EXPECT_FALSE((co_await write(log, of_the_new_one, 8)).is_duplicate);
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
    SimulatedLogWorld world(seed);
    world.options.producers.producer_id_expiration_ms = INT64_MAX;
    world.tell(replace_history);
    world.cut_power();
    EXPECT_EQ(snapshots_on(world.node.disk), std::vector<std::string>{"/data/t-0/00000000000000000004.snapshot"});
    world.options.recovery_point = Offset(12);
    world.run(go_on);
  }
}

// A snapshot at the end of a log that reaches beyond its records: after a kill the log ends with these, the snapshot goes, and the one
// that a clean stop then writes at the same offset stays.
TEST(LogTruncateProducers, ACleanStopKeepsItsSnapshotWhereOneOfALongerLogHasBeen) {
  SimulatedLogWorld world(1);
  world.tell([](Log& log) -> task<void> {
    Bytes two = batch_of(2);
    EXPECT_TRUE(co_await log.append_as_leader({.records = two, .leader_epoch = LeaderEpoch(1)}));
    EXPECT_TRUE(co_await log.truncate_to(Offset(1)));
    EXPECT_TRUE(co_await log.take_producer_snapshot());
  });
  world.kill();
  world.options.was_only_killed = true;
  world.run([](Log& log) -> task<void> {
    EXPECT_EQ(log.log_end_offset(), Offset(0));
    co_await write(log, of_the_new_one, 0);
    EXPECT_TRUE(co_await log.close());
  });
  world.options.was_only_killed = false;
  world.options.had_clean_shutdown = true;
  world.run([](Log& log) -> task<void> { EXPECT_TRUE((co_await write(log, of_the_new_one, 0)).is_duplicate); });
}

// A snapshot that was found at the end of the log when it was opened became one of a segment's base, went with that segment, and is not
// taken for the one that a clean stop writes when the new history has come as far.
TEST(LogTruncateProducers, ACleanStopKeepsItsSnapshotWhereThatOfASegmentWasTakenBack) {
  SimulatedLogWorld world(1);
  world.tell([](Log& log) -> task<void> {
    co_await write(log, of_both, 0);
    EXPECT_TRUE(co_await log.take_producer_snapshot());
  });
  world.kill();
  world.options.was_only_killed = true;
  world.run([](Log& log) -> task<void> {
    EXPECT_TRUE(co_await log.roll());
    EXPECT_TRUE(co_await log.truncate_to(Offset(0)));
    co_await write(log, of_the_new_one, 0);
    EXPECT_TRUE(co_await log.close());
  });
  world.options.was_only_killed = false;
  world.options.had_clean_shutdown = true;
  world.run([](Log& log) -> task<void> { EXPECT_TRUE((co_await write(log, of_the_new_one, 0)).is_duplicate); });
}

task<void> abort_a_transaction(Log& log) {
  protocol::BatchOptions options{.producer_id = of_both, .producer_epoch = ProducerEpoch(0), .base_sequence = 0, .is_transactional = true};
  Bytes records = batch_of(2, log.environment().wall_clock_ms(), options);
  const auto written = co_await log.append_as_leader({.records = records, .leader_epoch = LeaderEpoch(1)});
  EXPECT_TRUE(written) << written.error().message;
  options.is_control = true;
  options.base_sequence = -1;
  protocol::BatchBuilder builder(options);
  builder.append(log.environment().wall_clock_ms(), from_hex("00000000"), from_hex("000000000001"));
  Bytes marker = builder.finish();
  EXPECT_TRUE(co_await log.append_as_leader(
      {.records = marker, .leader_epoch = LeaderEpoch(1), .origin = AppendOrigin::coordinator, .transaction_version = 1}));
  EXPECT_TRUE(co_await log.take_producer_snapshot());
}

// Wherever a truncation is killed: as long as the marker is there, so is what says that it aborted the transaction.
TEST(LogTruncateProducers, AKillInBetweenShowsNoReaderWhatWasAborted) {
  for (uint64_t round = 0; round < rounds_for_test(600); ++round) {
    const uint64_t steps = round % 30;
    SCOPED_TRACE(fmt::format("{} steps of seed {}", steps, round));
    SimulatedLogWorld world(round);
    world.options.producers.verify_transactions = false;
    bool is_truncating = false;
    world.start([&](Log& log) -> task<void> {
      co_await abort_a_transaction(log);
      is_truncating = true;
      EXPECT_TRUE(co_await log.truncate_to(Offset(1)));
    });
    EXPECT_TRUE(world.world.run_until([&] { return is_truncating; }, SimulatedLogWorld::limit_us));
    for (uint64_t i = 0; i < steps && !world.is_told; ++i) world.world.step();
    world.kill();
    world.options.was_only_killed = true;
    world.run([](Log& log) -> task<void> {
      log.update_high_watermark(log.log_end_offset());
      if (log.last_stable_offset() == Offset(0)) co_return;
      const auto read = co_await log.read(Offset(0), 1'000'000, true, ReadIsolation::committed);
      EXPECT_TRUE(read && read->aborted.size() == 1) << fmt::format("the log ends at {}", log.log_end_offset());
    });
  }
}

}  // namespace
}  // namespace moldau::storage::test
