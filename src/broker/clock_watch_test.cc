#include "broker/clock_watch.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "runtime/simulated/simulated_environment.h"

namespace moldau::broker {
namespace {

using runtime::Environment;
using runtime::task;
using runtime::TrustedClock;
using runtime::simulated::Node;
using runtime::simulated::World;

constexpr int64_t hour_ms = 3'600'000;
constexpr int64_t day_ms = 24 * hour_ms;

// A machine on which a node runs, is killed and starts again, and whose clock is set as one likes.
struct Machine {
  World world{1};
  Node& node = world.add_node("node");

  // Starts, looks at the clock (and so writes it down), and ends. How far ahead it is held to be.
  int64_t run() {
    int64_t ahead_ms = -1;
    world.boot(node, [&ahead_ms](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
      TrustedClock clock(environment);
      ClockWatch watch(environment, clock, "/data");
      co_await watch.start();
      co_await watch.look();
      ahead_ms = clock.ahead_ms();
    });
    EXPECT_TRUE(world.run_until([this] { return !node.is_running(); }, 1'000'000'000));
    return ahead_ms;
  }
  void reboot() {
    world.boot(node, [](Environment&) -> task<void> { co_await runtime::sleep_ms(day_ms); });
    world.run_for(1000);
    world.crash(node);
  }
  void jump(int64_t by_ms) { node.clock_offset_ms += by_ms; }
};

TEST(ClockWatch, BelievesTheClockOfAFirstStart) {
  Machine machine;
  machine.jump(1000 * day_ms);
  EXPECT_EQ(machine.run(), 0);
}

TEST(ClockWatch, KnowsAJumpAfterAFirstRunThatWasShorterThanUntilItsFirstLook) {
  Machine machine;
  machine.world.boot(machine.node, [](Environment& environment) -> task<void> {
    EXPECT_TRUE(co_await runtime::make_directories(environment.files(), "/data"));
    TrustedClock clock(environment);
    ClockWatch watch(environment, clock, "/data");
    co_await watch.start();
  });
  ASSERT_TRUE(machine.world.run_until([&] { return !machine.node.is_running(); }, 1'000'000));
  machine.jump(2 * hour_ms);
  EXPECT_NEAR(static_cast<double>(machine.run()), 2 * hour_ms, 1000);
}

TEST(ClockWatch, KnowsAJumpBetweenTwoRunsOfOneBoot) {
  Machine machine;
  EXPECT_EQ(machine.run(), 0);
  machine.jump(2 * hour_ms);
  EXPECT_NEAR(static_cast<double>(machine.run()), 2 * hour_ms, 1000);
  EXPECT_NEAR(static_cast<double>(machine.run()), 2 * hour_ms, 1000) << "a restart confirms nothing";
  machine.jump(-2 * hour_ms);
  EXPECT_EQ(machine.run(), 0);
}

TEST(ClockWatch, BelievesSomeTimeWithoutTheMachine) {
  Machine machine;
  EXPECT_EQ(machine.run(), 0);
  machine.jump(12 * hour_ms);
  machine.reboot();
  EXPECT_EQ(machine.run(), 0);
  machine.jump(10 * day_ms);
  machine.reboot();
  EXPECT_NEAR(static_cast<double>(machine.run()), 10 * day_ms, 10'000);
}

TEST(ClockWatch, JudgesTheClockOnceWhereItIsSetRightDuringTheStart) {
  Machine machine;
  EXPECT_EQ(machine.run(), 0);
  machine.jump(30 * hour_ms);
  machine.reboot();
  int64_t ahead_ms = -1;
  machine.world.boot(machine.node, [&](Environment& environment) -> task<void> {
    TrustedClock clock(environment);
    machine.jump(-30 * hour_ms);
    ClockWatch watch(environment, clock, "/data");
    co_await watch.start();
    machine.jump(30 * hour_ms);
    ahead_ms = clock.ahead_ms();
  });
  ASSERT_TRUE(machine.world.run_until([&] { return !machine.node.is_running(); }, 1'000'000'000));
  EXPECT_NEAR(static_cast<double>(ahead_ms), 30 * hour_ms, 1000);
}

TEST(ClockWatch, AMachineThatBeginsInThePastDoesNotJumpWhenItFindsThePresent) {
  Machine machine;
  EXPECT_EQ(machine.run(), 0);
  machine.jump(-10'000 * day_ms);
  machine.reboot();
  EXPECT_EQ(machine.run(), 0);
  machine.jump(10'000 * day_ms);
  EXPECT_EQ(machine.run(), 0);
}

}  // namespace
}  // namespace moldau::broker
