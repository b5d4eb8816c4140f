#include "storage/compaction/offset_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace moldau::storage {
namespace {

const KeyHasher hasher(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL);

OffsetMapLimits limits_of(uint64_t slots, double load_factor) {
  return {slots * OffsetMapLimits::slot_bytes, load_factor};
}

// The reference vectors of SipHash-2-4 with 128 bits: key 00..0f, input 00, 01, 02, ...
TEST(KeyHasher, IsSipHash) {
  const auto bytes = [](const KeyHash& hash) {
    std::array<std::byte, 16> out;
    std::memcpy(out.data(), &hash.high, 8);
    std::memcpy(out.data() + 8, &hash.low, 8);
    return to_hex(out);
  };
  Bytes input;
  EXPECT_EQ(bytes(hasher(input)), "a3817f04ba25a8e66df67214c7550293");
  input.push_back(std::byte{0});
  EXPECT_EQ(bytes(hasher(input)), "da87c1d86b99af44347659119b22fc45");
  for (int i = 1; i < 15; ++i) input.push_back(static_cast<std::byte>(i));
  EXPECT_EQ(bytes(hasher(input)), "5493e99933b0a8117e08ec0f97cfc3d9");
}

TEST(OffsetMap, KeepsTheNewestOffsetOfEachKey) {
  OffsetMap map(limits_of(1000, 0.9), 1000, hasher);
  EXPECT_FALSE(map.find(map.hash(as_bytes("a"))));
  EXPECT_TRUE(map.put(map.hash(as_bytes("a")), Offset(0)));
  EXPECT_TRUE(map.put(map.hash(as_bytes("b")), Offset(1)));
  EXPECT_TRUE(map.put(map.hash(as_bytes("a")), Offset(7)));
  EXPECT_TRUE(map.put(map.hash(ByteView()), Offset(8)));
  EXPECT_EQ(map.find(map.hash(as_bytes("a"))), Offset(7));
  EXPECT_EQ(map.find(map.hash(as_bytes("b"))), Offset(1));
  EXPECT_EQ(map.find(map.hash(ByteView())), Offset(8));
  EXPECT_EQ(map.size(), 3U);
  EXPECT_EQ(map.latest_offset(), Offset(8));
}

// As Kafka counts: slots of 24 bytes, the load factor of them, and then not even a key that is known.
TEST(OffsetMap, IsFullAtItsLoadFactor) {
  OffsetMap map(limits_of(10, 0.75), 1'000'000, hasher);
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(map.put(map.hash(as_bytes(std::to_string(i))), Offset(i)));
  EXPECT_FALSE(map.put(map.hash(as_bytes("8")), Offset(8)));
  EXPECT_FALSE(map.put(map.hash(as_bytes("0")), Offset(9)));
  EXPECT_EQ(map.latest_offset(), Offset(6));
  EXPECT_EQ(map.find(map.hash(as_bytes("0"))), Offset(0));
  EXPECT_DOUBLE_EQ(map.utilization(), 1.0);
}

TEST(OffsetMap, TakesAsManyKeysAsWereExpected) {
  for (const uint64_t expected : {0, 1, 2, 15, 16, 17, 100}) {
    OffsetMap map(limits_of(1 << 20, 0.9), expected, hasher);
    for (uint64_t i = 0; i < expected; ++i) ASSERT_TRUE(map.put(map.hash(as_bytes(std::to_string(i))), Offset(static_cast<int64_t>(i))));
    for (uint64_t i = 0; i < expected; ++i)
      ASSERT_EQ(map.find(map.hash(as_bytes(std::to_string(i)))), Offset(static_cast<int64_t>(i)));
  }
}

// Through every step of its growth, to the last key of the budget.
TEST(OffsetMap, LosesNothingWhenItGrows) {
  constexpr uint64_t keys = 900'000;
  OffsetMap map(limits_of(1'000'000, 0.9), 5'000'000, hasher);
  const auto hash_of = [&](uint64_t number) { return map.hash(as_bytes(std::to_string(number))); };
  uint64_t number = 0;
  for (; number < keys; ++number) {
    ASSERT_TRUE(map.put(hash_of(number), Offset(static_cast<int64_t>(number))));
    // One of those before it, again.
    if (number % 7 == 0 && number + 1 < keys) ASSERT_TRUE(map.put(hash_of(number / 2), Offset(static_cast<int64_t>(number))));
    ASSERT_EQ(map.size(), number + 1);
  }
  EXPECT_FALSE(map.put(hash_of(keys), Offset(keys)));
  std::vector<int64_t> newest(keys);
  for (uint64_t i = 0; i < keys; ++i) {
    newest[i] = static_cast<int64_t>(i);
    if (i % 7 == 0 && i + 1 < keys) newest[i / 2] = static_cast<int64_t>(i);
  }
  for (uint64_t i = 0; i < keys; ++i) ASSERT_EQ(map.find(hash_of(i)), Offset(newest[i])) << i;
  EXPECT_FALSE(map.find(hash_of(keys)));
}

TEST(OffsetMap, AgreesWithAnOrderedMapWhenEverySlotIsTaken) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    const uint64_t slots = 1 + random() % 300;
    OffsetMap map(limits_of(slots, 1.0), 1'000'000, KeyHasher(random(), random()));
    std::map<std::string, Offset> model;
    for (int64_t offset = 0; model.size() < slots; ++offset) {
      const std::string key = std::to_string(random() % (2 * slots));
      ASSERT_TRUE(map.put(map.hash(as_bytes(key)), Offset(offset)));
      model[key] = Offset(offset);
      const std::string asked = std::to_string(random() % (2 * slots));
      const auto known = model.find(asked);
      ASSERT_EQ(map.find(map.hash(as_bytes(asked))), known == model.end() ? std::nullopt : std::optional(known->second));
    }
    for (uint64_t i = 0; i < 2 * slots; ++i) {
      const std::string key = std::to_string(i);
      ASSERT_EQ(map.find(map.hash(as_bytes(key))).has_value(), model.contains(key));
    }
  }
}

}  // namespace
}  // namespace moldau::storage
