// What a log knows of its producers after it was opened or truncated: all that it knew before, though their records went away below
// the log start, were compacted, or belong to a history that is no more.
#include <gtest/gtest.h>

#include "storage/compaction/cleanable_log.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr ProducerId producer(7);
constexpr int64_t time_ms = 1'750'000'000'000;

Bytes batch_of_producer(int count, int32_t sequence, bool is_transactional = false, int16_t epoch = 0) {
  return batch_of(count, time_ms, {.producer_id = producer, .producer_epoch = ProducerEpoch(epoch), .base_sequence = sequence, .is_transactional = is_transactional});
}

void end_transaction(LogWorld& world, bool commits, int version) {
  protocol::BatchBuilder marker({.producer_id = producer, .producer_epoch = ProducerEpoch(version == 2 ? 1 : 0), .is_transactional = true, .is_control = true});
  marker.append(time_ms, from_hex(commits ? "00000001" : "00000000"), from_hex("000000000001"));
  Bytes bytes = marker.finish();
  ASSERT_TRUE(now(world.log->append_as_leader({.records = bytes, .origin = AppendOrigin::coordinator, .transaction_version = version})));
}

void reopen_after(LogWorld& world, bool was_only_killed, Offset recovery_point, Offset log_start) {
  world.crash();
  LogOptions options = world.options();
  options.was_only_killed = was_only_killed;
  options.recovery_point = recovery_point;
  options.log_start_offset = log_start;
  world.open(std::move(options));
  world.log->update_high_watermark(world.log->log_end_offset());
}

// The batch that the log start lies in, and those before it in the first segment.
TEST(LogProducers, ATransactionThatBeganBelowTheLogStartIsOpenAfterACrash) {
  for (const bool was_only_killed : {true, false}) {
    LogWorld world;
    world.open();
    ASSERT_TRUE(append(world, batch_of_producer(3, 0, true)));
    ASSERT_TRUE(append(world, batch_of(2)));
    world.log->update_high_watermark(Offset(5));
    ASSERT_TRUE(now(world.log->delete_records_before(Offset(1))));
    ASSERT_EQ(world.log->last_stable_offset(), Offset(1));
    reopen_after(world, was_only_killed, Offset(0), Offset(1));
    EXPECT_EQ(world.log->last_stable_offset(), Offset(1)) << "records of an open transaction may be read";
    const auto repeat = append(world, batch_of_producer(3, 0, true));
    ASSERT_TRUE(repeat) << repeat.error().message;
    EXPECT_TRUE(repeat->is_duplicate);
  }
}

TEST(LogProducers, AProducerWhoseRecordsWereAllDeletedIsKnownAfterAStop) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of_producer(1, 0)));
  world.log->update_high_watermark(Offset(1));
  ASSERT_TRUE(now(world.log->delete_records_before(Offset(1))));
  ASSERT_TRUE(now(world.log->flush()));
  ASSERT_TRUE(now(world.log->close()));
  world.reopen(true, Offset(1), Offset(1), Offset(1));
  const auto repeat = append(world, batch_of_producer(1, 0));
  ASSERT_TRUE(repeat) << repeat.error().message;
  EXPECT_TRUE(repeat->is_duplicate);
}

// The newest snapshot stands behind the end, as no kill leaves it: everything is read, from the right one on.
TEST(LogProducers, ASnapshotBehindTheEndDoesNotHideTheOthers) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of_producer(1, 0)));
  ASSERT_TRUE(now(world.log->roll()));
  ASSERT_TRUE(append(world, batch_of(2)));
  ASSERT_TRUE(now(world.log->roll()));
  world.log->update_high_watermark(Offset(3));
  ASSERT_TRUE(now(world.log->delete_records_before(Offset(1))));
  ASSERT_TRUE(now(world.log->delete_old_segments()));
  const Bytes last = batch_of(1);
  ASSERT_TRUE(append(world, last));
  ASSERT_TRUE(now(world.log->take_producer_snapshot()));
  world.crash();
  world.environment.disk.files.at(world.path("00000000000000000003.log"))->bytes.clear();
  reopen_after(world, true, Offset(1), Offset(1));
  ASSERT_EQ(world.log->log_end_offset(), Offset(3));
  const auto repeat = append(world, batch_of_producer(1, 0));
  ASSERT_TRUE(repeat) << repeat.error().message;
  EXPECT_TRUE(repeat->is_duplicate);
}

// A marker of the second version fences the epoch before it; when it is taken back, so is the epoch.
TEST(LogProducers, AnEpochGoesWithTheMarkerThatMadeIt) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of(1)));
  ASSERT_TRUE(append(world, batch_of_producer(2, 0, true)));
  end_transaction(world, true, 2);
  ASSERT_TRUE(now(world.log->take_producer_snapshot()));
  ASSERT_TRUE(now(world.log->truncate_to(Offset(1))));
  EXPECT_EQ(world.log->producers().find(producer), nullptr);
  const auto again = append(world, batch_of_producer(2, 0, true));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->first_offset, Offset(1));
}

TEST(LogProducers, AProducerThatBeganAnewInItsEpochIsKnownByWhatItDidSince) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of_producer(2, 0)));
  ASSERT_TRUE(append(world, batch_of_producer(2, 2)));
  ASSERT_TRUE(now(world.log->roll()));
  // As if it was forgotten in between, which expiry does.
  world.crash();
  LogOptions options = world.options();
  world.environment.clock_ms += 1000;
  options.producers.producer_id_expiration_ms = 1;
  options.had_clean_shutdown = true;
  options.recovery_point = Offset(4);
  world.open(std::move(options));
  ASSERT_EQ(world.log->producers().find(producer), nullptr);
  ASSERT_TRUE(append(world, batch_of_producer(2, 0)));
  reopen_after(world, false, Offset(4), Offset(0));
  const auto next = append(world, batch_of_producer(2, 2));
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_FALSE(next->is_duplicate) << "taken for a repeat of an older batch, and lost";
}

// The snapshot says that the transaction is open; its records were deleted and its marker compacted before the crash.
TEST(LogProducers, ATransactionWhoseMarkerWasCompactedHoldsNoReaderBack) {
  LogWorld world;
  world.config.is_compacted = true;
  world.config.delete_retention_ms = 0;
  world.open();
  ASSERT_TRUE(append(world, batch_of_producer(2, 0, true)));
  ASSERT_TRUE(now(world.log->roll()));  // with a snapshot
  end_transaction(world, false, 2);
  ASSERT_TRUE(append(world, batch_of_producer(1, 0, false, 1)));
  ASSERT_TRUE(now(world.log->roll()));
  ASSERT_TRUE(append(world, batch_of(1)));
  world.log->update_high_watermark(Offset(5));
  ASSERT_TRUE(now(world.log->delete_records_before(Offset(2))));
  ASSERT_TRUE(now(world.log->delete_old_segments()));
  for (int round = 0; round < 3; ++round) {
    world.environment.clock_ms += 1000;
    ASSERT_TRUE(now(clean_log(*world.log, {.first_dirty = Offset(2), .first_uncleanable = Offset(4)}, CleaningTerms{})));
  }
  ASSERT_EQ(world.log->last_stable_offset(), Offset(5));
  world.crash();
  std::erase_if(world.environment.disk.files, [](const auto& file) { return file.first.ends_with("4.snapshot"); });
  reopen_after(world, false, Offset(2), Offset(2));
  EXPECT_EQ(world.log->last_stable_offset(), Offset(5)) << "a transaction that has ended is waited for";
}

// No record reaches to the end then, nor to the log start: nothing is missing, and nothing was flushed that a start could miss.
TEST(LogProducers, ATruncationIntoABatchIsNoDamage) {
  for (const bool is_clean : {true, false}) {
    LogWorld world;
    world.open();
    ASSERT_TRUE(append(world, batch_of(2)));
    ASSERT_TRUE(append(world, batch_of(4)));
    world.log->update_high_watermark(Offset(3));
    ASSERT_TRUE(now(world.log->delete_records_before(Offset(3))));
    ASSERT_TRUE(now(world.log->truncate_to(Offset(4))));
    ASSERT_TRUE(now(world.log->flush()));
    EXPECT_EQ(world.log->recovery_point(), Offset(2));
    EXPECT_EQ(world.log->durable_end_offset(), Offset(4));
    if (is_clean) ASSERT_TRUE(now(world.log->close()));
    world.crash();
    world.reopen(is_clean, Offset(2), Offset(3));
    EXPECT_TRUE(world.report.damage.empty()) << world.report.damage.front();
    EXPECT_EQ(world.log->log_start_offset(), Offset(3));
    EXPECT_EQ(world.log->log_end_offset(), Offset(3));
  }
}

}  // namespace
}  // namespace moldau::storage::test
