#include "runtime/timer_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace moldau::runtime {
namespace {

TEST(TimerHeap, fires_by_deadline_then_in_the_order_of_making) {
  TimerHeap timers;
  std::vector<int> fired;
  timers.add(20, [&] { fired.push_back(3); });
  timers.add(10, [&] { fired.push_back(1); });
  timers.add(10, [&] { fired.push_back(2); });
  EXPECT_EQ(timers.next_deadline_us(), 10);
  EXPECT_FALSE(timers.take_due(9));
  while (Job job = timers.take_due(20)) job();
  EXPECT_EQ(fired, (std::vector{1, 2, 3}));
  EXPECT_EQ(timers.next_deadline_us(), INT64_MAX);
}

TEST(TimerHeap, leaves_what_is_made_while_firing_for_the_next_turn) {
  TimerHeap timers;
  timers.add(1, [] {});
  const uint64_t limit = timers.next_sequence();
  timers.add(0, [] {});
  EXPECT_FALSE(timers.take_due(5, limit));  // the newer one is first in line and must wait
}

TEST(TimerHeap, ignores_the_id_of_a_timer_that_has_gone_even_when_its_slot_is_used_again) {
  TimerHeap timers;
  const TimerId old = timers.add(1, [] {});
  EXPECT_TRUE(timers.cancel(old));
  const TimerId fresh = timers.add(1, [] {});
  EXPECT_NE(static_cast<uint64_t>(old), static_cast<uint64_t>(fresh));
  EXPECT_FALSE(timers.cancel(old));
  EXPECT_FALSE(timers.cancel(no_timer));
  EXPECT_EQ(timers.size(), 1u);
}

TEST(TimerHeap, agrees_with_an_ordered_map_under_random_calls) {
  std::mt19937_64 random(7);
  TimerHeap timers;
  std::map<std::pair<int64_t, int>, TimerId> model;
  int made = 0;
  int fired = -1;
  for (int step = 0; step < 20000; ++step) {
    const auto choice = random() % 3;
    if (choice == 0 || model.empty()) {
      const auto deadline = static_cast<int64_t>(random() % 100);
      const int name = made++;
      model[{deadline, name}] = timers.add(deadline, [&fired, name] { fired = name; });
    } else if (choice == 1) {
      auto victim = std::next(model.begin(), static_cast<long>(random() % model.size()));
      EXPECT_TRUE(timers.cancel(victim->second));
      model.erase(victim);
    } else {
      Job job = timers.take_due(INT64_MAX - 1);
      ASSERT_TRUE(job);
      job();
      EXPECT_EQ(fired, model.begin()->first.second);
      model.erase(model.begin());
    }
    ASSERT_EQ(timers.size(), model.size());
  }
}

}  // namespace
}  // namespace moldau::runtime
