#include "storage/batch_check.h"

#include <gtest/gtest.h>

#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

// `count` batches of two records that follow each other from `base` on.
Bytes batches_from(int64_t base, int count) {
  Bytes all;
  for (int i = 0; i < count; ++i) {
    Bytes batch = batch_of(2, 1'750'000'000'000 + i);
    protocol::patch_base_offset(batch, Offset(base + 2 * i));
    add(all, batch);
  }
  return all;
}

BatchCheck check_of(ByteView bytes, size_t block, BatchCheck::Bounds bounds, std::vector<uint64_t>* positions = nullptr) {
  bounds.size = bytes.size();
  if (bounds.stop == 0) bounds.stop = bytes.size();
  BatchCheck check(bounds, [positions](const protocol::RecordBatchHeader&, uint64_t at) {
    if (positions != nullptr) positions->push_back(at);
  });
  for (size_t at = bounds.begin; at < bytes.size(); at += block)
    if (!check.take(bytes.subspan(at, std::min(block, bytes.size() - at)))) break;
  check.finish();
  return check;
}

TEST(BatchCheck, SeesTheSameInBlocksOfEverySize) {
  const Bytes sound = batches_from(10, 5);
  Bytes damaged = sound;
  damaged[3 * sound.size() / 5 + 70] ^= std::byte{1};
  for (size_t block = 1; block <= sound.size(); ++block) {
    std::vector<uint64_t> positions;
    const BatchCheck right = check_of(sound, block, {.least = Offset(10), .limit = Offset(20)}, &positions);
    ASSERT_FALSE(right.is_damaged()) << block << ": " << right.damage();
    EXPECT_EQ(right.sound_end(), sound.size());
    EXPECT_EQ(right.next_offset(), Offset(20));
    EXPECT_EQ(positions.size(), 5U);
    const BatchCheck wrong = check_of(damaged, block, {.least = Offset(10), .limit = Offset(20)});
    ASSERT_TRUE(wrong.is_damaged()) << block;
    EXPECT_EQ(wrong.sound_end(), 3 * sound.size() / 5);
    EXPECT_EQ(wrong.next_offset(), Offset(16));
  }
}

TEST(BatchCheck, BlamesTheBatchWhoseOffsetIsWrong) {
  Bytes bytes = batches_from(0, 5);
  const size_t batch = bytes.size() / 5;
  Bytes too_high = bytes;
  too_high[batch + 7] ^= std::byte{0x40};  // 2 becomes 66
  EXPECT_EQ(check_of(too_high, 100, {.least = Offset(0), .limit = Offset(1000)}).sound_end(), batch);
  Bytes too_low = bytes;
  too_low[3 * batch + 7] ^= std::byte{4};  // 6 becomes 2
  EXPECT_EQ(check_of(too_low, 100, {.least = Offset(0), .limit = Offset(1000)}).sound_end(), 3 * batch);
}

TEST(BatchCheck, AHoleIsNoFaultUnlessItIsBehindABatchThatNothingVouchesFor) {
  Bytes bytes = batches_from(0, 2);
  add(bytes, batches_from(50, 2));
  EXPECT_FALSE(check_of(bytes, 64, {.least = Offset(0), .limit = Offset(100)}).is_damaged());
  Bytes late = batches_from(4, 1);
  add(late, batches_from(50, 2));
  EXPECT_FALSE(check_of(late, 64, {.least = Offset(0), .limit = Offset(100)}).is_damaged());
  EXPECT_TRUE(check_of(late, 64, {.least = Offset(0), .limit = Offset(100), .is_least_exact = false}).is_damaged());
}

TEST(BatchCheck, StopsBehindTheFrontOfTheNextBatch) {
  Bytes bytes = batches_from(0, 3);
  const size_t batch = bytes.size() / 3;
  bytes[batch + 70] ^= std::byte{1};  // the contents of the second
  const BatchCheck first = check_of(bytes, 32, {.stop = 1, .least = Offset(0), .limit = Offset(100)});
  EXPECT_FALSE(first.is_damaged());
  EXPECT_EQ(first.sound_end(), batch);
  bytes[batch + 16] = std::byte{9};  // its magic
  EXPECT_TRUE(check_of(bytes, 32, {.stop = 1, .least = Offset(0), .limit = Offset(100)}).is_damaged());
}

TEST(BatchCheck, MissesWhatTheFileDoesNotHave) {
  const Bytes bytes = batches_from(0, 2);
  for (size_t cut = bytes.size() / 2 + 1; cut < bytes.size(); ++cut) {
    const BatchCheck check = check_of(ByteView(bytes).first(cut), 64, {.least = Offset(0), .limit = Offset(100)});
    EXPECT_TRUE(check.is_damaged()) << cut;
    EXPECT_EQ(check.sound_end(), bytes.size() / 2) << cut;
  }
}

}  // namespace
}  // namespace moldau::storage::test
