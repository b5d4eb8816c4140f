#include "storage/verified_ranges.h"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

namespace moldau::storage {
namespace {

TEST(VerifiedRanges, IsOneRangeForWhoReadsInOrder) {
  VerifiedRanges verified;
  for (uint32_t at = 0; at < 1000; at += 10) verified.add(at, at + 10);
  EXPECT_EQ(verified.ranges(), (std::vector<VerifiedRanges::Range>{{0, 1000}}));
  EXPECT_TRUE(verified.contains(0, 1000));
  EXPECT_FALSE(verified.contains(0, 1001));
}

TEST(VerifiedRanges, AgreesWithABitForEachByte) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    VerifiedRanges verified;
    std::bitset<256> model;
    for (int step = 0; step < 200; ++step) {
      const auto begin = static_cast<uint32_t>(random() % 256);
      const auto end = static_cast<uint32_t>(begin + random() % (257 - begin));
      const bool adds = random() % 3 != 0;
      adds ? verified.add(begin, end) : verified.remove(begin, end);
      for (uint32_t i = begin; i < end; ++i) model[i] = adds;
      const auto from = static_cast<uint32_t>(random() % 256);
      uint32_t reach = from;
      while (reach < 256 && model[reach]) ++reach;
      ASSERT_EQ(verified.reach_of(from), reach);
      for (uint32_t to = from + 1; to <= 256; ++to) ASSERT_EQ(verified.contains(from, to), to <= reach);
    }
  }
}

TEST(VerifiedRanges, ForgetsTheSmallestOfTooManyButNeverTheNewest) {
  VerifiedRanges verified;
  for (uint32_t i = 0; i < 500; ++i) {
    verified.add(i * 100, i * 100 + 1 + i % 50);
    ASSERT_TRUE(verified.contains(i * 100, i * 100 + 1));
  }
  EXPECT_EQ(verified.ranges().size(), 64U);
}

}  // namespace
}  // namespace moldau::storage
