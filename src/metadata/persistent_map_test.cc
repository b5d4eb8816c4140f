#include "metadata/persistent_map.h"

#include <cmath>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace moldau::metadata {
namespace {

TEST(PersistentMap, AgreesWithStdMapUnderRandomChangesAndOldCopiesStay) {
  std::mt19937_64 random(7);
  PersistentMap<int, int> map;
  std::map<int, int> model;
  std::vector<std::pair<PersistentMap<int, int>, std::map<int, int>>> kept;
  for (int step = 0; step < 20'000; ++step) {
    const int key = static_cast<int>(random() % 700);
    if (random() % 3 != 0) {
      EXPECT_EQ(map.insert_or_assign(key, step), !model.contains(key));
      model[key] = step;
    } else {
      EXPECT_EQ(map.erase(key), model.erase(key) == 1);
    }
    ASSERT_EQ(map.size(), model.size());
    if (step % 997 == 0) kept.emplace_back(map, model);
  }
  kept.emplace_back(map, model);
  for (const auto& [copy, as_it_was] : kept) {
    EXPECT_TRUE(std::equal(copy.begin(), copy.end(), as_it_was.begin(), as_it_was.end()));
    for (int key = -1; key < 701; ++key) {
      const auto found = as_it_was.find(key);
      EXPECT_EQ(copy.contains(key), found != as_it_was.end());
      const auto next = as_it_was.lower_bound(key);
      const auto at = copy.lower_bound(key);
      ASSERT_EQ(at == copy.end(), next == as_it_was.end());
      if (next != as_it_was.end()) EXPECT_EQ(at->first, next->first);
    }
  }
}

TEST(PersistentMap, StaysFlatWhenFilledInOrderAndEmptied) {
  PersistentMap<int, int> map;
  for (int i = 0; i < 10'000; ++i) map.insert_or_assign(i, i);
  EXPECT_LE(map.height(), static_cast<int>(1.45 * std::log2(10'000)) + 1);
  for (int i = 0; i < 9'000; ++i) map.erase(i);
  EXPECT_LE(map.height(), static_cast<int>(1.45 * std::log2(1'000)) + 1);
}

TEST(PersistentMap, FindsByViewWithoutMakingAString) {
  PersistentMap<std::string, int> map;
  map.insert_or_assign("b", 2);
  map.insert_or_assign("a", 1);
  ASSERT_NE(map.find(std::string_view("a")), nullptr);
  EXPECT_EQ(*map.find(std::string_view("a")), 1);
  EXPECT_EQ(map.find(std::string_view("c")), nullptr);
}

TEST(PersistentMap, EqualsByContentWhateverTheOrderOfInsertion) {
  PersistentMap<int, int> up;
  PersistentMap<int, int> down;
  for (int i = 0; i < 100; ++i) up.insert_or_assign(i, i), down.insert_or_assign(99 - i, 99 - i);
  EXPECT_EQ(up, down);
  down.insert_or_assign(5, 6);
  EXPECT_NE(up, down);
}

}  // namespace
}  // namespace moldau::metadata
