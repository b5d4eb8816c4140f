// Segments whose offsets are too far apart for their indexes.
#include <gtest/gtest.h>

#include "storage/compaction/cleanable_log.h"
#include "storage/legacy_messages_for_test.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr int64_t far = int64_t{INT32_MAX} + 1;  // the first offset that a segment with base 0 cannot hold

Bytes batch_at(int64_t offset, int count = 1) {
  return batch_of(count, 1'750'000'000'000 + offset, {.base_offset = Offset(offset), .leader_epoch = LeaderEpoch(1)});
}

class SplitLog : public testing::Test {
 protected:
  void put(std::initializer_list<Bytes> batches) {
    bytes_.clear();
    for (const Bytes& batch : batches) add(bytes_, batch);
    put_file(world_, "00000000000000000000.log", bytes_);
  }
  [[nodiscard]] std::vector<int64_t> bases() {
    std::vector<int64_t> all;
    for (const SegmentInfo& segment : world_.log->segments()) all.push_back(segment.base_offset.value());
    return all;
  }
  [[nodiscard]] Bytes all_bytes() {
    Bytes all;
    for (const SegmentInfo& segment : world_.log->segments())
      add(all, world_.environment.disk.bytes_of(world_.path(file_name(segment.base_offset, FileKind::log).c_str())));
    return all;
  }
  void expect_whole(std::vector<int64_t> wanted_bases, int64_t end) {
    EXPECT_EQ(bases(), wanted_bases);
    EXPECT_EQ(world_.log->log_end_offset(), Offset(end));
    EXPECT_TRUE(equal(all_bytes(), bytes_));
    EXPECT_TRUE(world_.report.damage.empty());
    EXPECT_EQ(world_.report.bytes_cut, 0U);
    for (const auto& [path, node] : world_.environment.disk.files) {
      EXPECT_FALSE(path.ends_with(".cleaned") || path.ends_with(".swap") || path.ends_with(".deleted")) << path;
    }
  }

  LogWorld world_;
  Bytes bytes_;
};

TEST_F(SplitLog, BecomesSegmentsThatHoldTheSameBytes) {
  put({batch_at(0, 2), batch_at(far - 1), batch_at(far), batch_at(far + 7, 3), batch_at(5 * far)});
  world_.open();
  expect_whole({0, far, 5 * far}, 5 * far + 1);
  for (const int64_t offset : {int64_t{1}, far - 1, far, far + 9, 5 * far}) {
    const auto read = now(world_.log->read(Offset(offset), 1, true, ReadIsolation::log_end));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_LE(read->first_batch_offset.value(), offset);
  }
  EXPECT_EQ((*now(world_.log->offset_for_timestamp(1'750'000'000'000 + far + 1)))->offset, Offset(far + 7));
  ASSERT_TRUE(append(world_, batch_of(1), 1));
}

TEST_F(SplitLog, IsSplitAfterACleanStopWhenItsIndexIsMissing) {
  put({batch_at(0), batch_at(far)});
  world_.reopen(true, Offset(far + 1));
  expect_whole({0, far}, far + 1);
}

// Nothing looks into it when it is opened, and compaction could not write it again.
TEST_F(SplitLog, IsSplitAfterACleanStopWhenTheNextSegmentBeginsTooFarAway) {
  put({batch_at(0), batch_at(far)});
  put_file(world_, "00000000000000000000.index", Bytes(8));
  add(bytes_, batch_at(6 * far));
  put_file(world_, file_name(Offset(6 * far), FileKind::log).c_str(), batch_at(6 * far));
  world_.config.is_compacted = true;
  world_.reopen(true, Offset(6 * far + 1));
  expect_whole({0, far, 6 * far}, 6 * far + 1);
  world_.log->update_high_watermark(Offset(6 * far + 1));
  const auto found = now(measure_cleanable(*world_.log, std::nullopt, world_.environment.clock_ms));
  ASSERT_TRUE(found);
  const auto cleaned = now(clean_log(*world_.log, found->range, {}));
  ASSERT_TRUE(cleaned) << cleaned.error().message;
  EXPECT_TRUE(cleaned->is_finished);
  EXPECT_EQ(bases(), (std::vector<int64_t>{0, far, 6 * far}));
  EXPECT_EQ(world_.log->segments()[0].size_bytes, 0U) << "its record has the same key as the later ones";
}

TEST_F(SplitLog, ASegmentWithoutSuchOffsetsStaysAsItIs) {
  put({batch_at(0), batch_at(far - 2)});
  put_file(world_, "00000000000000000000.index", Bytes(8));
  add(bytes_, batch_at(6 * far));
  put_file(world_, file_name(Offset(6 * far), FileKind::log).c_str(), batch_at(6 * far));
  world_.reopen(true, Offset(6 * far + 1));
  expect_whole({0, 6 * far}, 6 * far + 1);
}

TEST_F(SplitLog, ABatchThatCrossesTheBoundGoesToTheNextSegment) {
  put({batch_at(3), batch_at(far - 1, 2)});
  world_.open();
  expect_whole({0, far - 1}, far + 1);
}

TEST_F(SplitLog, AFirstBatchTooFarAwayNamesTheSegment) {
  put({batch_at(far), batch_at(far + 1)});
  world_.open();
  expect_whole({far}, far + 2);
}

TEST_F(SplitLog, AnOldCompressedMessageBeginsWhereItsFirstRecordDoes) {
  const LegacyMessage inner[] = {{.offset = far + 5, .timestamp_ms = 1}, {.offset = far + 6, .timestamp_ms = 2}};
  put({encode({.offset = 0, .timestamp_ms = 1}), encode_compressed(protocol::Codec::gzip, 1, inner)});
  world_.open();
  expect_whole({0, far + 5}, far + 7);
}

TEST_F(SplitLog, ATornTailIsCutFromTheLastPiece) {
  put({batch_at(0), batch_at(far), batch_at(far + 1)});
  const size_t whole_bytes = bytes_.size() - batch_at(far + 1).size();
  put_file(world_, "00000000000000000000.log", Bytes(bytes_.begin(), bytes_.end() - 1));
  world_.open();
  EXPECT_EQ(bases(), (std::vector<int64_t>{0, far}));
  EXPECT_EQ(world_.log->log_end_offset(), Offset(far + 1));
  EXPECT_EQ(world_.log->size_bytes(), whole_bytes);
}

TEST_F(SplitLog, KeepsAbortedTransactionsWithTheirMarkers) {
  const auto transactional = [](int64_t offset, bool is_marker) {
    protocol::BatchBuilder builder({.base_offset = Offset(offset),
                                    .leader_epoch = LeaderEpoch(1),
                                    .producer_id = ProducerId(5),
                                    .producer_epoch = ProducerEpoch(0),
                                    .base_sequence = is_marker ? -1 : static_cast<int32_t>(offset % 2),
                                    .is_transactional = true,
                                    .is_control = is_marker});
    if (is_marker)
      builder.append(1, as_bytes(std::string_view("\0\0\0\0", 4)), as_bytes(std::string_view("\0\0\0\0\0\0", 6)));
    else
      builder.append(1, as_bytes("key"), as_bytes("value"));
    return builder.finish();
  };
  put({transactional(0, false), transactional(far, true), batch_at(far + 1)});
  world_.open();
  expect_whole({0, far}, far + 2);
  world_.log->update_high_watermark(Offset(far + 2));
  const auto read = now(world_.log->read(Offset(0), 1 << 20, true, ReadIsolation::committed));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->aborted.size(), 1U);
  EXPECT_EQ(read->aborted[0].producer_id, ProducerId(5));
}

TEST_F(SplitLog, AStopAtAnyMomentLosesNothing) {
  for (int renames = 0;; ++renames) {
    world_.crash();
    world_.environment.disk.files.clear();
    put({batch_at(0), batch_at(far), batch_at(3 * far)});
    world_.environment.disk.renames_left = renames;
    auto opened = now(Log::open(world_.options()));
    world_.environment.disk.renames_left = INT32_MAX;
    if (opened) {
      now((*opened)->abandon());
      EXPECT_GT(renames, 6);
      return;
    }
    world_.health = std::make_shared<DirectoryHealth>("/data");
    world_.open();
    expect_whole({0, far, 3 * far}, 3 * far + 1);
  }
}

}  // namespace
}  // namespace moldau::storage::test
