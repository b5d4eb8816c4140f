#include "storage/log.h"

#include <gtest/gtest.h>

#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

TEST(Log, GivesOffsetsInOrderAndReadsThemBack) {
  LogWorld world;
  world.open();
  const auto first = append(world, batch_of(3));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->first_offset, Offset(0));
  EXPECT_EQ(first->last_offset, Offset(2));
  const auto second = append(world, batch_of(1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->first_offset, Offset(3));
  EXPECT_EQ(world.log->log_end_offset(), Offset(4));

  const auto read = now(world.log->read(Offset(1), 1 << 20, true, ReadIsolation::log_end));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first_batch_offset, Offset(0));
  EXPECT_EQ(read->size_bytes, world.log->size_bytes());
  EXPECT_TRUE(equal(bytes_of(*read), world.environment.disk.bytes_of(world.path("00000000000000000000.log"))));
}

TEST(Log, RefusesABatchWhoseChecksumIsWrong) {
  LogWorld world;
  world.open();
  Bytes batch = batch_of(1);
  batch.back() ^= std::byte{1};
  const auto refused = append(world, batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, protocol::ErrorCode::corrupt_message);
  EXPECT_EQ(world.log->log_end_offset(), Offset(0));
}

TEST(Log, ShowsReadersNothingAboveTheHighWatermark) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of(2)));
  ASSERT_TRUE(append(world, batch_of(2)));
  auto read = now(world.log->read(Offset(0), 1 << 20, true, ReadIsolation::high_watermark));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size_bytes, 0U);
  EXPECT_EQ(world.log->update_high_watermark(Offset(2)), Offset(2));
  read = now(world.log->read(Offset(0), 1 << 20, true, ReadIsolation::high_watermark));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size_bytes, world.log->size_bytes() / 2);
  EXPECT_EQ(world.log->update_high_watermark(Offset(99)), Offset(4));
}

TEST(Log, RefusesOffsetsThatItDoesNotHold) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of(2)));
  const auto beyond = now(world.log->read(Offset(3), 100, true, ReadIsolation::log_end));
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, protocol::ErrorCode::offset_out_of_range);
  world.log->update_high_watermark(Offset(2));
  ASSERT_TRUE(now(world.log->delete_records_before(Offset(1))));
  EXPECT_FALSE(now(world.log->read(Offset(0), 100, true, ReadIsolation::log_end)));
  EXPECT_FALSE(now(world.log->delete_records_before(Offset(3))));
}

TEST(Log, AFullDiskFailsTheAppendAndNothingElse) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of(2)));
  const uint64_t size_bytes = world.log->size_bytes();
  world.environment.disk.free_space_bytes = 20;
  const auto refused = append(world, batch_of(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, protocol::ErrorCode::kafka_storage_error);
  EXPECT_FALSE(world.log->is_offline());
  EXPECT_EQ(world.environment.disk.bytes_of(world.path("00000000000000000000.log")).size(), size_bytes);
  world.environment.disk.free_space_bytes = INT64_MAX;
  const auto again = append(world, batch_of(2));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->first_offset, Offset(2));
}

TEST(Log, OnlyClientsAreHeldToTheRoomThatIsLeftToThem) {
  LogWorld world;
  world.open();
  world.health->set_room(10);
  const auto refused = append(world, batch_of(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, protocol::ErrorCode::kafka_storage_error);
  EXPECT_EQ(world.log->log_end_offset(), Offset(0));
  Bytes own = batch_of(1);
  LeaderAppend of_coordinator;
  of_coordinator.records = own;
  of_coordinator.leader_epoch = LeaderEpoch(0);
  of_coordinator.origin = AppendOrigin::coordinator;
  EXPECT_TRUE(now(world.log->append_as_leader(of_coordinator)));
  world.health->set_room(INT64_MAX);
  EXPECT_TRUE(append(world, batch_of(1)));
}

TEST(Log, AStopOnAFullDiskIsNotACleanOne) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of(2)));
  ASSERT_TRUE(now(world.log->flush()));
  world.environment.disk.free_space_bytes = 0;
  EXPECT_FALSE(now(world.log->close()));
  EXPECT_TRUE(world.health->needs_recovery());
  EXPECT_FALSE(world.health->is_offline());
  world.log.reset();
  world.environment.disk.free_space_bytes = INT64_MAX;
  world.reopen(false, Offset(2));
  EXPECT_EQ(world.log->log_end_offset(), Offset(2));
}

TEST(Log, AFailingDiskTakesTheDirectoryOffline) {
  LogWorld world;
  world.open();
  ASSERT_TRUE(append(world, batch_of(2)));
  world.environment.disk.fail_syncs_with = EIO;
  EXPECT_FALSE(now(world.log->flush()));
  EXPECT_TRUE(world.log->is_offline());
  world.environment.disk.fail_syncs_with = 0;
  EXPECT_FALSE(append(world, batch_of(1)));
}

TEST(Log, RecoversWhatWasWrittenBeforeAKillAndCutsTheTornTail) {
  LogWorld world;
  world.config.segment_bytes = 300;
  world.open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append(world, batch_of(2)));
  ASSERT_GT(world.log->segment_count(), 2U);
  const Offset last_base = world.log->segments().back().base_offset;
  world.crash();
  Bytes& tail = world.environment.disk.bytes_of("/data/t-0/" + file_name(last_base, FileKind::log));
  tail.resize(tail.size() - 5);
  world.reopen(false, Offset(0));
  EXPECT_EQ(world.log->log_end_offset(), Offset(18));
  EXPECT_GT(world.report.bytes_cut, 0U);
  EXPECT_TRUE(world.report.damage.empty());
  const auto read = now(world.log->read(Offset(17), 1000, true, ReadIsolation::log_end));
  ASSERT_TRUE(read);
  EXPECT_GT(read->size_bytes, 0U);
}

TEST(Log, KeepsAndReportsFlushedRecordsThatWereDamaged) {
  LogWorld world;
  world.open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(append(world, batch_of(2)));
  ASSERT_TRUE(now(world.log->flush()));
  EXPECT_EQ(world.log->recovery_point(), Offset(8));
  world.crash();
  world.environment.disk.bytes_of(world.path("00000000000000000000.log"))[80] ^= std::byte{1};
  world.reopen(false, Offset(8));
  EXPECT_EQ(world.log->log_end_offset(), Offset(8));
  EXPECT_EQ(world.report.damage.size(), 1U);
  EXPECT_EQ(world.report.bytes_cut, 0U);
}

TEST(Log, LoadsACleanLogWithoutReadingItsSegments) {
  LogWorld world;
  world.open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(append(world, batch_of(5)));
  ASSERT_TRUE(now(world.log->flush()));
  ASSERT_TRUE(now(world.log->close()));
  world.log.reset();
  const uint64_t opens = world.environment.disk.opens;
  world.reopen(true, Offset(500), Offset(0), Offset(500));
  EXPECT_EQ(world.log->log_end_offset(), Offset(500));
  EXPECT_EQ(world.log->high_watermark(), Offset(500));
  EXPECT_EQ(world.report.segments_recovered, 0U);
  EXPECT_LE(world.environment.disk.opens - opens, 6U);
}

TEST(Log, ASegmentOfBytesThatAreNoRecordIsAnErrorToRollAndNothingToDelete) {
  LogWorld world;
  world.open();
  world.crash();
  world.environment.disk.bytes_of(world.path("00000000000000000000.log")).resize(1);
  world.config.retention_bytes = 0;
  world.reopen(true, Offset(0));
  const auto deleted = now(world.log->delete_old_segments());
  ASSERT_TRUE(deleted);
  EXPECT_EQ(*deleted, 0);
  const auto rolled = now(world.log->roll());
  ASSERT_FALSE(rolled);
  EXPECT_EQ(rolled.error().code, protocol::ErrorCode::corrupt_message);
}

// Each append is flushed, so the flush behind a roll finds nothing to do: the snapshot alone keeps the producer's sequences.
TEST(Log, records_that_go_leave_their_producers_on_stable_storage) {
  LogWorld world;
  world.config.segment_bytes = 100;
  world.config.flush_messages = 1;
  world.config.retention_bytes = 150;
  world.open();
  for (int32_t sequence = 0; sequence < 4; ++sequence)
    ASSERT_TRUE(append(world, batch_of(1, 1'750'000'000'000, {.producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = sequence})));
  world.log->update_high_watermark(world.log->log_end_offset());
  world.environment.disk.synced.clear();
  const auto deleted = now(world.log->delete_old_segments());
  ASSERT_TRUE(deleted);
  ASSERT_GT(*deleted, 0);
  const Offset start = world.log->log_start_offset();
  EXPECT_TRUE(world.environment.disk.synced.contains(file_path("/data/t-0", start, FileKind::producer_snapshot))) << start.value();
}

TEST(Log, a_repeat_of_a_record_that_is_gone_is_known_after_a_start) {
  LogWorld world;
  world.config.retention_bytes = 0;
  world.open();
  const auto once = [] { return batch_of(1, 1'750'000'000'000, {.producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = 0}); };
  ASSERT_TRUE(append(world, once()));
  world.log->update_high_watermark(world.log->log_end_offset());
  ASSERT_TRUE(now(world.log->delete_old_segments()));
  ASSERT_EQ(world.log->log_start_offset(), Offset(1));
  world.crash();
  world.reopen(false, Offset(1), Offset(1), Offset(1));
  const auto again = append(world, once());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_duplicate);
}

}  // namespace
}  // namespace moldau::storage::test
