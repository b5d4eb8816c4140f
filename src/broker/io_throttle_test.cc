#include "broker/io_throttle.h"

#include <gtest/gtest.h>

namespace moldau::broker {
namespace {

TEST(IoThrottle, SpreadsBytesOverTime) {
  IoThrottle throttle;
  throttle.set_bytes_per_second(1000);
  EXPECT_EQ(throttle.take(500, 1'000'000), 1'500'000);
  EXPECT_EQ(throttle.take(500, 1'000'000), 2'000'000);  // behind the first
  EXPECT_EQ(throttle.take(100, 9'000'000), 9'100'000);  // an idle time is not saved up
}

TEST(IoThrottle, HasNoLimitByDefaultOrForSillyRates) {
  IoThrottle throttle;
  EXPECT_EQ(throttle.take(1'000'000, 7), 7);
  for (const double rate : {0.0, -1.0, 1.7976931348623157E308}) {
    throttle.set_bytes_per_second(rate);
    EXPECT_EQ(throttle.take(1'000'000, 7), 7);
  }
}

TEST(IoThrottle, NeverWaitsForEver) {
  IoThrottle throttle;
  throttle.set_bytes_per_second(1e-9);
  EXPECT_EQ(throttle.take(1'000'000, 0), 60'000'000);
}

}  // namespace
}  // namespace moldau::broker
