#include "runtime/trusted_clock.h"

#include <gtest/gtest.h>

#include "runtime/simulated/simulated_environment.h"

namespace moldau::runtime {
namespace {

using simulated::Node;
using simulated::World;

constexpr int64_t hour_ms = 3'600'000;

// A clock on a simulated machine, looked at from within.
struct ClockWorld {
  World world{1};
  Node& node = world.add_node("node");

  void run(const std::function<void(TrustedClock&, Environment&)>& look) {
    world.boot(node, [&look](Environment& environment) -> task<void> {
      TrustedClock clock(environment);
      look(clock, environment);
      return ready();
    });
    ASSERT_TRUE(world.run_until([this] { return !node.is_running(); }, 1'000'000'000));
  }
};

TEST(TrustedClock, IsTheWallClockWhileThatKeepsPace) {
  ClockWorld at;
  at.run([&](TrustedClock& clock, Environment& environment) {
    EXPECT_EQ(clock.now_ms(), environment.wall_clock_ms());
    at.node.clock_offset_ms += hour_ms;
    EXPECT_EQ(clock.now_ms(), environment.wall_clock_ms());
    EXPECT_EQ(clock.ahead_ms(), 0);
  });
}

TEST(TrustedClock, DoesNotJumpAhead) {
  ClockWorld at;
  at.run([&](TrustedClock& clock, Environment& environment) {
    const int64_t before_ms = environment.wall_clock_ms();
    at.node.clock_offset_ms += hour_ms + 1;
    EXPECT_EQ(clock.now_ms(), before_ms);
    EXPECT_EQ(clock.ahead_ms(), hour_ms + 1);
    at.node.clock_offset_ms -= hour_ms + 1;
    EXPECT_EQ(clock.ahead_ms(), 0);
    EXPECT_EQ(clock.now_ms(), environment.wall_clock_ms());
  });
}

TEST(TrustedClock, FollowsOneThatIsPutBack) {
  ClockWorld at;
  at.run([&](TrustedClock& clock, Environment& environment) {
    at.node.clock_offset_ms -= 1000 * hour_ms;
    EXPECT_EQ(clock.now_ms(), environment.wall_clock_ms());
    EXPECT_EQ(clock.ahead_ms(), 0);
  });
}

TEST(TrustedClock, BelievesAJumpThatIsConfirmed) {
  ClockWorld at;
  at.run([&](TrustedClock& clock, Environment& environment) {
    at.node.clock_offset_ms += 100 * hour_ms;
    EXPECT_EQ(clock.ahead_ms(), 100 * hour_ms);
    clock.follow();
    EXPECT_EQ(clock.ahead_ms(), 100 * hour_ms) << "not before it is confirmed";
    clock.set_bound_ms(101 * hour_ms);
    clock.follow();
    clock.set_bound_ms(hour_ms);
    EXPECT_EQ(clock.ahead_ms(), 0);
    EXPECT_EQ(clock.now_ms(), environment.wall_clock_ms());
    clock.set_bound_ms(-1);
    at.node.clock_offset_ms += 100'000 * hour_ms;
    EXPECT_EQ(clock.ahead_ms(), 0);
  });
}

// A machine that sleeps: uptime goes on with the wall clock, whatever its other clocks do.
TEST(TrustedClock, SleepIsNoJump) {
  ClockWorld at;
  at.run([&](TrustedClock& clock, Environment& environment) {
    clock.trust(environment.wall_clock_ms(), environment.uptime_ms() - 48 * hour_ms);
    at.node.clock_offset_ms += 48 * hour_ms;
    EXPECT_EQ(clock.ahead_ms(), 0);
    EXPECT_EQ(clock.now_ms(), environment.wall_clock_ms());
  });
}

}  // namespace
}  // namespace moldau::runtime
