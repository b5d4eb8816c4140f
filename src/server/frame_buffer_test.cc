#include "server/frame_buffer.h"

#include <gtest/gtest.h>

#include <random>

namespace moldau::server {
namespace {

Bytes frame_of(size_t size, int seed) {
  Bytes bytes(4 + size);
  store_be<int32_t>(bytes.data(), static_cast<int32_t>(size));
  for (size_t i = 0; i < size; ++i) bytes[4 + i] = static_cast<std::byte>((i * 7 + static_cast<size_t>(seed)) & 0xff);
  return bytes;
}

void feed(FrameBuffer& buffer, ByteView bytes) {
  while (!bytes.empty()) {
    const MutableByteView room = buffer.space();
    ASSERT_FALSE(room.empty());
    const size_t step = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), step);
    buffer.filled(step);
    bytes = bytes.subspan(step);
    if (!bytes.empty()) ASSERT_FALSE(buffer.next()->has_value()) << "the test feeds one frame at a time";
  }
}

TEST(FrameBuffer, gives_each_frame_whole_whatever_the_pieces) {
  std::mt19937 random(1);
  MemoryBudget budget(64 << 20);
  FrameBuffer buffer(budget, 10 << 20);
  Bytes stream;
  std::vector<size_t> sizes;
  for (int i = 0; i < 300; ++i) {
    const size_t size = random() % 20 == 0 ? random() % 700'000 : random() % 3000;
    sizes.push_back(size);
    const Bytes frame = frame_of(size, i);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  std::vector<Frame> held;  // some frames stay alive, as requests that wait do
  size_t at = 0;
  int seen = 0;
  while (seen < 300) {
    auto next = buffer.next();
    ASSERT_TRUE(next.has_value());
    if (next->has_value()) {
      const Bytes expected = frame_of(sizes[static_cast<size_t>(seen)], seen);
      ASSERT_TRUE(equal((*next)->bytes, ByteView(expected).subspan(4))) << "frame " << seen;
      if (random() % 3 == 0) held.push_back(std::move(**next));
      if (held.size() > 10) held.erase(held.begin());
      ++seen;
      continue;
    }
    const MutableByteView room = buffer.space();
    const size_t step = std::min({room.size(), stream.size() - at, size_t{1} + random() % 100'000});
    std::memcpy(room.data(), stream.data() + at, step);
    buffer.filled(step);
    at += step;
  }
}

TEST(FrameBuffer, refuses_sizes_that_no_frame_may_have) {
  MemoryBudget budget(1 << 20);
  FrameBuffer negative(budget, 1000);
  feed(negative, from_hex("ffffffff"));
  EXPECT_EQ(negative.next().error(), FrameFault::negative_size);
  FrameBuffer large(budget, 1000);
  feed(large, from_hex("000003e9"));
  EXPECT_EQ(large.next().error(), FrameFault::too_large);
}

TEST(FrameBuffer, takes_no_memory_for_bytes_that_were_only_announced) {
  MemoryBudget budget(1 << 20);
  FrameBuffer buffer(budget, 100 << 20);
  feed(buffer, from_hex("05f5e100"));
  ASSERT_FALSE(buffer.next()->has_value());
  (void)buffer.space();
  EXPECT_LE(budget.used_bytes, 512U << 10);
}

TEST(FrameBuffer, gives_room_at_once_for_another_frame_as_large_as_the_last) {
  MemoryBudget budget(64 << 20);
  FrameBuffer buffer(budget, 100 << 20);
  const Bytes frame = frame_of(1'000'000, 1);
  for (int i = 0; i < 3; ++i) {
    feed(buffer, ByteView(frame).first(4));
    ASSERT_FALSE(buffer.next()->has_value());
    EXPECT_EQ(buffer.space().size() == 1'000'000, i > 0) << "frame " << i;
    feed(buffer, ByteView(frame).subspan(4));
    const auto whole = buffer.next();
    ASSERT_TRUE(whole && *whole && equal((*whole)->bytes, ByteView(frame).subspan(4)));
  }
  // Not for more than was shown, and not beyond 2 MiB whatever was.
  feed(buffer, from_hex("05f5e100"));
  ASSERT_FALSE(buffer.next()->has_value());
  EXPECT_LE(buffer.space().size(), 2U << 20);
}

TEST(FrameBuffer, keeps_no_large_block_between_requests) {
  MemoryBudget budget(64 << 20);
  FrameBuffer buffer(budget, 100 << 20);
  feed(buffer, frame_of(1'000'000, 1));
  ASSERT_TRUE(buffer.next()->has_value());
  (void)buffer.space();
  EXPECT_LE(budget.used_bytes, FrameBuffer::usual_block_bytes);
}

TEST(FrameBuffer, leaves_the_next_frame_out_of_a_large_ones_block) {
  MemoryBudget budget(64 << 20);
  FrameBuffer buffer(budget, 100 << 20);
  feed(buffer, ByteView(frame_of(300'000, 1)).first(200'000));
  ASSERT_FALSE(buffer.next()->has_value());
  EXPECT_LE(buffer.space().size(), 100'004U);
}

TEST(SpareMemory, keeps_what_the_next_block_can_use_and_no_more_than_its_bound) {
  SpareMemory spare;
  size_t capacity = 1'000'000;
  auto memory = spare.take(capacity);
  EXPECT_EQ(capacity, 1U << 20);
  const std::byte* const first = memory.get();
  spare.give_back(std::move(memory), capacity);
  size_t small = 300'000;
  const auto other = spare.take(small);
  EXPECT_NE(other.get(), first) << "a block of 1 MiB for 300 kB would waste the budget";
  capacity = 900'000;
  memory = spare.take(capacity);
  EXPECT_EQ(memory.get(), first);
  EXPECT_EQ(capacity, 1U << 20);
  spare.give_back(std::move(memory), capacity);
  for (int i = 0; i < 10; ++i) spare.give_back(std::make_unique<std::byte[]>(700'000), 700'000);
  EXPECT_LE(spare.kept_bytes(), SpareMemory::most_kept_bytes);
  spare.give_back(std::make_unique<std::byte[]>(3 << 20), 3 << 20);
  spare.give_back(std::make_unique<std::byte[]>(1000), 1000);
  EXPECT_EQ(spare.kept_bytes(), 1'400'000U);
}

TEST(FrameBuffer, gives_its_memory_back) {
  MemoryBudget budget(1 << 20);
  {
    FrameBuffer buffer(budget, 1 << 20);
    feed(buffer, frame_of(500'000, 1));
    auto frame = buffer.next();
    ASSERT_TRUE(frame.has_value() && frame->has_value());
  }
  EXPECT_EQ(budget.used_bytes, 0U);
}

}  // namespace
}  // namespace moldau::server
