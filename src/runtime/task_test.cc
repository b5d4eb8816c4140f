#include "runtime/task.h"

#include <gtest/gtest.h>

#include <memory>

#include "runtime/scope.h"

namespace moldau::runtime {
namespace {

task<int> forty_two() { co_return 42; }
task<int> twice(task<int> inner) { co_return 2 * co_await std::move(inner); }
task<void> store(task<int> inner, int& into) { into = co_await std::move(inner); }

TEST(Task, is_lazy_until_it_is_awaited) {
  int seen = 0;
  {
    task<void> never_started = store(forty_two(), seen);
  }
  EXPECT_EQ(seen, 0);
}

TEST(Task, gives_its_value_to_whoever_awaits) {
  int seen = 0;
  Scope scope;
  scope.spawn(store(twice(forty_two()), seen));
  EXPECT_EQ(seen, 84);
  EXPECT_EQ(scope.running(), 0);
}

TEST(Task, that_is_ready_needs_no_frame) {
  int seen = 0;
  Scope scope;
  scope.spawn(store(ready(7), seen));
  EXPECT_EQ(seen, 7);
}

TEST(Task, carries_values_that_only_move) {
  std::unique_ptr<int> seen;
  Scope scope;
  auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  auto take = [](task<std::unique_ptr<int>> inner, std::unique_ptr<int>& into) -> task<void> {
    into = co_await std::move(inner);
  };
  scope.spawn(take(make(), seen));
  EXPECT_EQ(*seen, 5);
}

}  // namespace
}  // namespace moldau::runtime
