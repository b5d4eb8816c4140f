// Segments that hold messages of magic 0 and 1, beside each other and before batches of magic 2.
#include <gtest/gtest.h>

#include "storage/legacy_messages_for_test.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr const char* segment_file = "00000000000000000000.log";

// Offsets 0 and 1 of magic 0, 2 to 4 compressed; 5 of magic 1, 6 to 9 compressed; 10 and 11 of magic 2.
struct OldSegment {
  Bytes bytes;
  size_t wrapper_v0_at = 0;
  size_t v1_at = 0;
  size_t wrapper_v1_at = 0;
  size_t v2_at = 0;

  OldSegment() {
    add(bytes, encode({.magic = 0, .offset = 0}));
    add(bytes, encode({.magic = 0, .offset = 1}));
    wrapper_v0_at = bytes.size();
    const LegacyMessage first[] = {{.offset = 2}, {.offset = 3}, {.offset = 4}};
    add(bytes, encode_compressed(protocol::Codec::gzip, 0, first));
    v1_at = bytes.size();
    add(bytes, encode({.magic = 1, .offset = 5, .timestamp_ms = 1000}));
    wrapper_v1_at = bytes.size();
    const LegacyMessage second[] = {{.offset = 6, .timestamp_ms = 1010},
                                    {.offset = 7, .timestamp_ms = 1020},
                                    {.offset = 8, .timestamp_ms = 1030},
                                    {.offset = 9, .timestamp_ms = 1015}};
    add(bytes, encode_compressed(protocol::Codec::snappy, 1, second));
    v2_at = bytes.size();
    add(bytes, batch_of(2, 1040, {.base_offset = Offset(10), .leader_epoch = LeaderEpoch(3)}));
  }
};

class LegacyLog : public testing::Test {
 protected:
  LegacyLog() { put_file(world_, segment_file, old_.bytes); }
  void open_and_check() {
    world_.open();
    EXPECT_TRUE(world_.report.damage.empty());
    EXPECT_EQ(world_.report.bytes_cut, 0U);
    EXPECT_EQ(world_.log->log_end_offset(), Offset(12));
  }
  std::optional<FoundOffset> find(int64_t timestamp_ms) {
    const auto found = now(world_.log->offset_for_timestamp(timestamp_ms));
    MOLDAU_ASSERT_MSG(found.has_value(), found ? "" : found.error().message.c_str());
    return *found;
  }

  OldSegment old_;
  LogWorld world_;
};

TEST_F(LegacyLog, IsRecoveredWholeAndGoesOnWithMagic2) {
  open_and_check();
  EXPECT_EQ(world_.log->latest_epoch(), LeaderEpoch(3));
  EXPECT_EQ(world_.log->leader_epochs().earliest()->start_offset, Offset(10));
  const auto info = append(world_, batch_of(1), 4);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->first_offset, Offset(12));
}

TEST_F(LegacyLog, IsOpenedAfterACleanStopWithOrWithoutIndexes) {
  open_and_check();
  ASSERT_TRUE(now(world_.log->flush()));
  ASSERT_TRUE(now(world_.log->close()));
  world_.log.reset();
  world_.reopen(true, Offset(12));
  EXPECT_EQ(world_.log->log_end_offset(), Offset(12));
  world_.crash();
  world_.environment.disk.files.erase(world_.path("00000000000000000000.index"));
  world_.reopen(true, Offset(12));
  EXPECT_EQ(world_.log->log_end_offset(), Offset(12));
  EXPECT_EQ(find(1020)->offset, Offset(7));
}

TEST_F(LegacyLog, IsReadFromTheMessageThatHoldsTheOffset) {
  open_and_check();
  for (const auto& [offset, at] : {std::pair{int64_t{0}, size_t{0}},
                                   {3, old_.wrapper_v0_at},
                                   {4, old_.wrapper_v0_at},
                                   {5, old_.v1_at},
                                   {6, old_.wrapper_v1_at},
                                   {9, old_.wrapper_v1_at},
                                   {10, old_.v2_at}}) {
    const auto read = now(world_.log->read(Offset(offset), 1 << 20, true, ReadIsolation::log_end));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->position, at) << offset;
    EXPECT_TRUE(equal(bytes_of(*read), ByteView(old_.bytes).subspan(at))) << offset;
  }
}

TEST_F(LegacyLog, TimesAreThoseOfTheRecordsInside) {
  open_and_check();
  EXPECT_EQ(find(0), (FoundOffset{1000, Offset(5), no_leader_epoch})) << "magic 0 has no times";
  EXPECT_EQ(find(1011), (FoundOffset{1020, Offset(7), no_leader_epoch}));
  EXPECT_EQ(find(1031), (FoundOffset{1040, Offset(10), LeaderEpoch(3)}));
  EXPECT_EQ(find(1041), std::nullopt);
  EXPECT_EQ(find(max_timestamp)->offset, Offset(10));
}

TEST_F(LegacyLog, ATornMessageIsCutAndAFlushedBadOneIsKept) {
  Bytes torn = old_.bytes;
  torn.resize(old_.v2_at - 1);
  put_file(world_, segment_file, torn);
  world_.open();
  EXPECT_EQ(world_.log->log_end_offset(), Offset(6));
  EXPECT_EQ(world_.log->size_bytes(), old_.wrapper_v1_at);
  world_.crash();

  Bytes damaged = old_.bytes;
  damaged[old_.v1_at + 30] ^= std::byte{1};
  put_file(world_, segment_file, damaged);
  world_.reopen(false, Offset(8));
  EXPECT_EQ(world_.report.damage.size(), 1U);
  EXPECT_EQ(world_.log->log_end_offset(), Offset(12));
  world_.crash();

  put_file(world_, segment_file, damaged);
  world_.reopen(false, Offset(3));
  EXPECT_EQ(world_.log->log_end_offset(), Offset(5));
}

TEST_F(LegacyLog, IsTruncatedAtTheMessageThatHoldsTheOffset) {
  open_and_check();
  ASSERT_TRUE(now(world_.log->truncate_to(Offset(8))));
  EXPECT_EQ(world_.log->log_end_offset(), Offset(8));
  EXPECT_EQ(world_.log->size_bytes(), old_.wrapper_v1_at);
  EXPECT_EQ(find(1000)->offset, Offset(5));
  EXPECT_EQ(find(1001), std::nullopt);
}

TEST(LegacyFollower, TakesWhatALeaderWithAnOldDirectorySends) {
  const OldSegment old;
  LogWorld world;
  world.open();
  const auto info = now(world.log->append_as_follower(old.bytes, LeaderEpoch(3)));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->last_offset, Offset(11));
  EXPECT_EQ(world.log->log_end_offset(), Offset(12));
  EXPECT_TRUE(equal(world.environment.disk.bytes_of(world.path(segment_file)), old.bytes));
  Bytes wrong = encode({.magic = 1, .offset = 12});
  wrong.back() ^= std::byte{1};
  EXPECT_EQ(now(world.log->append_as_follower(wrong, LeaderEpoch(3))).error().code, protocol::ErrorCode::corrupt_message);
}

}  // namespace
}  // namespace moldau::storage::test
