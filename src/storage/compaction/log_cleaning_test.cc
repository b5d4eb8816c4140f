#include "storage/compaction/log_cleaning.h"

#include <gtest/gtest.h>

#include "storage/compaction/cleanable_log.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr int64_t start_ms = 1'750'000'000'000;

// A compacted log whose every append is a segment of its own once `roll` is called.
struct CompactedWorld : LogWorld {
  CompactedWorld() {
    config.is_compacted = true;
    config.is_deleted = false;
    config.index_interval_bytes = 1;
    config.file_delete_delay_ms = 0;
    config.timestamp_after_max_ms = INT64_MAX;
  }

  void put(std::string_view key, std::string_view value, int64_t timestamp_ms = start_ms) {
    protocol::BatchBuilder builder({});
    builder.append(timestamp_ms, as_bytes(key), as_bytes(value));
    ASSERT_TRUE(append(*this, builder.finish()));
    log->update_high_watermark(log->log_end_offset());
  }
  void roll() { ASSERT_TRUE(now(log->roll())); }
  CleanableLog measure(std::optional<Offset> checkpoint = std::nullopt) {
    auto found = now(measure_cleanable(*log, checkpoint, environment.clock_ms));
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(CleanableLog());
  }
  log_result<CleaningOutcome> clean(std::optional<Offset> checkpoint = std::nullopt, CleaningTerms terms = {}) {
    return now(clean_log(*log, measure(checkpoint).range, terms));
  }
  std::map<std::string, Bytes> contents() {
    std::map<std::string, Bytes> all;
    for (const auto& [path, node] : environment.disk.files) all[path] = node->bytes;
    return all;
  }
  // Names in the partition's directory that compaction leaves only while it runs.
  std::vector<std::string> leftovers() {
    std::vector<std::string> names;
    for (const auto& [path, node] : environment.disk.files)
      if (path.ends_with(".cleaned") || path.ends_with(".swap")) names.push_back(path);
    return names;
  }
};

TEST(LogCleaning, MergesSmallSegmentsAndKeepsTheNewestOfEachKey) {
  CompactedWorld world;
  world.open();
  for (int i = 0; i < 4; ++i) {
    world.put("a", "old");
    world.put("b", "new");
    world.roll();
  }
  const auto outcome = world.clean();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(outcome->is_finished);
  EXPECT_EQ(outcome->next_dirty, Offset(8));
  EXPECT_EQ(outcome->counts.records_read, 8U);
  EXPECT_EQ(outcome->counts.records_written, 2U);
  ASSERT_EQ(world.log->segment_count(), 2U);
  EXPECT_EQ(world.log->segments().front().base_offset, Offset(0));
  const auto read = now(world.log->read(Offset(0), 1000, true, ReadIsolation::log_end));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first_batch_offset, Offset(6));
  EXPECT_TRUE(world.leftovers().empty());
}

// An old and a new record of one key in segments of their own, and another one in the active segment.
struct OldAndNewWorld : CompactedWorld {
  OldAndNewWorld() {
    open();
    put("a", "old");
    roll();
    put("a", "new");
    roll();
    put("b", "active");
  }
};

// Else a power cut could take the newer record of a key when the older one has gone.
TEST(LogCleaning, GoesByWhatIsOnStableStorageAlone) {
  OldAndNewWorld world;
  ASSERT_LT(world.log->durable_end_offset(), Offset(3));
  const CleanableLog found = world.measure();
  ASSERT_EQ(found.range.first_uncleanable, Offset(2));
  CleaningTerms terms;
  Offset durable = no_offset;
  terms.should_stop = [&] {
    if (durable == no_offset) durable = world.log->durable_end_offset();
    return false;
  };
  ASSERT_TRUE(now(clean_log(*world.log, found.range, terms)));
  EXPECT_EQ(durable, Offset(3)) << "when the first block was read";
}

// The system takes the pages of a flush that failed for clean: a commit beside it succeeds and means nothing.
TEST(LogCleaning, ACommitBesideAFlushThatFailsEndsTheRoundBeforeAnythingIsChanged) {
  OldAndNewWorld world;
  const CleaningRange range = world.measure().range;
  const Offset durable = world.log->durable_end_offset();
  ASSERT_LT(durable, Offset(3));
  const auto before = world.contents();
  world.environment.disk.while_syncing = [&] { world.health->set_offline("another flush has failed"); };
  const auto outcome = now(clean_log(*world.log, range, {}));
  ASSERT_FALSE(outcome) << "the round went by what is on no stable storage";
  EXPECT_EQ(outcome.error().code, protocol::ErrorCode::kafka_storage_error);
  EXPECT_EQ(world.log->durable_end_offset(), durable);
  EXPECT_EQ(world.contents(), before);
}

// A fetch may hold a segment, or a file, while it is swapped out and even removed.
TEST(LogCleaning, ReadersOfAReplacedSegmentGoOnReading) {
  for (const size_t open_files : {4U, 64U}) {
    CompactedWorld world;
    OpenFiles few(world.environment.disk, open_files);
    LogOptions options = world.options();
    options.open_files = &few;
    world.open(std::move(options));
    for (int i = 0; i < 20; ++i) world.put("a", "value");
    world.roll();
    world.put("a", "last");
    world.roll();
    const auto before = now(world.log->read(Offset(0), 100'000, true, ReadIsolation::log_end));
    ASSERT_TRUE(before);
    const Bytes bytes = bytes_of(*before);
    const SegmentPtr held = world.log->segments_between(Offset(0), Offset(1)).front();
    ASSERT_TRUE(world.clean());
    ASSERT_TRUE(now(world.log->remove_deleted_files(INT64_MAX)));
    EXPECT_EQ(bytes_of(*before), bytes);
    const auto found = now(held->find(Offset(7)));
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->base_offset, Offset(7));
    const auto file = now(held->log_file());
    ASSERT_TRUE(file);
    Bytes again(bytes.size());
    ASSERT_EQ(now((*file)->read_at(0, again)), again.size());
    EXPECT_EQ(again, bytes);
    world.crash();
  }
}

TEST(LogCleaning, LeavesTheLogAloneWhenABatchIsDamaged) {
  CompactedWorld world;
  world.open();
  world.put("a", "1");
  world.put("a", "2");
  world.roll();
  world.environment.disk.bytes_of(world.path("00000000000000000000.log"))[100] ^= std::byte{1};
  const auto files = world.environment.disk.files;
  const auto outcome = world.clean();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, protocol::ErrorCode::corrupt_message);
  EXPECT_NE(outcome.error().message.find("position 70 of /data/t-0/00000000000000000000.log"), std::string::npos)
      << outcome.error().message;
  EXPECT_EQ(world.environment.disk.files, files);
  EXPECT_FALSE(world.log->is_offline());
}

TEST(LogCleaning, AFullDiskEndsTheRoundAndNothingElse) {
  CompactedWorld world;
  world.open();
  for (int i = 0; i < 10; ++i) world.put(std::to_string(i), std::string(1000, 'v'));
  world.roll();
  const auto segments = world.log->segments().front().size_bytes;
  world.environment.disk.free_space_bytes = 500;
  const auto outcome = world.clean();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().io_error_number, ENOSPC);
  EXPECT_FALSE(world.log->is_offline());
  EXPECT_EQ(world.log->segments().front().size_bytes, segments);
  EXPECT_TRUE(world.leftovers().empty());
  world.environment.disk.free_space_bytes = INT64_MAX;
  EXPECT_TRUE(world.clean());
}

TEST(LogCleaning, ASyncThatFailsTakesTheDirectoryOfflineBeforeAnythingIsReplaced) {
  CompactedWorld world;
  world.open();
  world.put("a", "1");
  world.put("a", "2");
  world.roll();
  ASSERT_TRUE(now(world.log->flush()));
  const Bytes before = world.environment.disk.bytes_of(world.path("00000000000000000000.log"));
  world.environment.disk.fail_syncs_with = EIO;
  EXPECT_FALSE(world.clean());
  EXPECT_TRUE(world.log->is_offline());
  EXPECT_EQ(world.environment.disk.bytes_of(world.path("00000000000000000000.log")), before);
}

TEST(LogCleaning, IsDroppedWhenRetentionTookASegmentMeanwhile) {
  CompactedWorld world;
  world.config.is_deleted = true;
  world.open();
  world.put("a", "1");
  world.roll();
  world.put("a", "2");
  world.roll();
  const std::vector<SegmentPtr> group = world.log->segments_between(Offset(0), Offset(2));
  auto output = now(world.log->make_cleaned_segment(Offset(0)));
  ASSERT_TRUE(output);
  ASSERT_TRUE(now(world.log->delete_records_before(Offset(1))));
  ASSERT_EQ(now(world.log->delete_old_segments()), 1);
  EXPECT_EQ(now(world.log->swap_in(*output, group)), false);
  EXPECT_TRUE(world.leftovers().empty());
  EXPECT_EQ(world.log->segments().front().base_offset, Offset(1));
}

TEST(LogCleaning, StopsBetweenBlocksWhenAsked) {
  CompactedWorld world;
  world.open();
  for (int i = 0; i < 10; ++i) world.put("a", "value");
  world.roll();
  CleaningTerms terms;
  int asked = 0;
  terms.should_stop = [&asked] { return ++asked > 2; };
  const auto outcome = world.clean(std::nullopt, terms);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->is_finished);
  EXPECT_TRUE(world.leftovers().empty());
}

TEST(LogCleaning, GoesOnWhereTheMapWasFull) {
  CompactedWorld world;
  world.open();
  for (const char* key : {"a", "b", "c", "d", "a", "b"}) world.put(key, "v");
  world.roll();
  CleaningTerms terms;
  terms.map = {OffsetMapLimits::slot_bytes * 3, 1.0};
  const auto first = world.clean(std::nullopt, terms);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->next_dirty, Offset(3));
  EXPECT_EQ(first->counts.records_written, 6U);
  const auto second = world.clean(first->next_dirty, terms);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->next_dirty, Offset(6));
  EXPECT_EQ(second->counts.records_written, 4U);
}

TEST(LogCleaning, KeepsTheAgeOfWhatItReplaces) {
  CompactedWorld world;
  world.open();
  world.put("a", "1", -1);
  world.put("a", "2", -1);
  world.roll();
  const int64_t written_ms = world.environment.clock_ms;
  world.environment.advance_ms(1'000'000);
  ASSERT_TRUE(world.clean());
  EXPECT_EQ(now(world.log->segments_between(Offset(0), Offset(1)).front()->largest_timestamp_ms()), written_ms);
}

// --- what there is to clean ---

TEST(CleanableLog, LeavesOutTheActiveSegmentAndWhatIsNotReplicated) {
  CompactedWorld world;
  world.open();
  world.put("a", "1");
  world.roll();
  world.put("a", "2");
  world.roll();
  world.put("a", "3");
  CleanableLog found = world.measure();
  EXPECT_EQ(found.range.first_dirty, Offset(0));
  EXPECT_EQ(found.range.first_uncleanable, Offset(2));
  EXPECT_DOUBLE_EQ(found.dirty_ratio(), 1.0);
  EXPECT_TRUE(found.is_due(world.config));
  found = world.measure(Offset(1));
  EXPECT_DOUBLE_EQ(found.dirty_ratio(), 0.5);
  EXPECT_FALSE(found.is_due(world.config));  // not more than the ratio
  world.log->update_high_watermark(Offset(1));
  EXPECT_EQ(world.measure().range.first_uncleanable, Offset(1));
  EXPECT_EQ(world.measure(Offset(2)).cleanable_bytes, 0U);
}

TEST(CleanableLog, LeavesOutYoungSegments) {
  CompactedWorld world;
  world.config.min_compaction_lag_ms = 1000;
  world.open();
  world.put("a", "1", start_ms);
  world.roll();
  world.put("a", "2", start_ms + 500);
  world.roll();
  EXPECT_EQ(world.measure().range.first_uncleanable, Offset(0));
  world.environment.advance_ms(1000);
  EXPECT_EQ(world.measure().range.first_uncleanable, Offset(1));
  world.environment.advance_ms(500);
  EXPECT_EQ(world.measure().range.first_uncleanable, Offset(2));
}

TEST(CleanableLog, IsDueWhenTheLagIsOverHoweverLittleIsDirty) {
  CompactedWorld world;
  world.config.max_compaction_lag_ms = 1000;
  world.config.min_cleanable_dirty_ratio = 1.0;
  world.open();
  world.put("a", "1", start_ms);
  world.roll();
  EXPECT_FALSE(world.measure().is_due(world.config));
  world.environment.advance_ms(1001);
  EXPECT_EQ(world.measure().delay_ms, 1);
  EXPECT_TRUE(world.measure().is_due(world.config));
  EXPECT_FALSE(world.measure(Offset(1)).is_due(world.config));
}

TEST(CleanableLog, BeginsAtTheLogStartWhenTheCheckpointIsWrong) {
  CompactedWorld world;
  world.open();
  world.put("a", "1");
  world.put("a", "2");
  world.roll();
  ASSERT_TRUE(now(world.log->delete_records_before(Offset(1))));
  for (const Offset wrong : {Offset(0), Offset(3)}) {
    EXPECT_TRUE(world.measure(wrong).is_checkpoint_wrong);
    EXPECT_EQ(world.measure(wrong).range.first_dirty, Offset(1));
  }
  EXPECT_FALSE(world.measure(Offset(2)).is_checkpoint_wrong);
}

}  // namespace
}  // namespace moldau::storage::test
