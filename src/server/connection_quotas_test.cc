#include "server/connection_quotas.h"

#include <gtest/gtest.h>

namespace moldau::server {
namespace {

constexpr int64_t second_us = 1'000'000;

// Two listeners, the second one the brokers' own.
ConnectionLimits limits_of_two() {
  ConnectionLimits limits;
  limits.listeners.resize(2);
  limits.listeners[1].is_protected = true;
  return limits;
}

TEST(ConnectionQuotas, TheNodesBoundHoldsClientsBackAndNotBrokers) {
  ConnectionQuotas quotas(2);
  ConnectionLimits limits = limits_of_two();
  limits.max_connections = 2;
  quotas.set_limits(limits);
  EXPECT_TRUE(quotas.admit(0, "a", 0));
  EXPECT_TRUE(quotas.admit(0, "b", 0));
  EXPECT_EQ(quotas.wait(0, 0).bound, Bound::node);
  EXPECT_EQ(quotas.wait(1, 0).bound, Bound::none);
  EXPECT_FALSE(quotas.has_excess());
  EXPECT_TRUE(quotas.admit(1, "broker", 0));
  EXPECT_TRUE(quotas.has_excess()) << "a client must go";
  quotas.release(0, "a");
  EXPECT_FALSE(quotas.has_excess());
  EXPECT_EQ(quotas.wait(0, 0).bound, Bound::node);
  quotas.release(0, "b");
  EXPECT_EQ(quotas.wait(0, 0).bound, Bound::none);
}

TEST(ConnectionQuotas, AnOnlyListenerIsNotProtectedForBrokersAreAmongItsClients) {
  ConnectionQuotas quotas(1);
  ConnectionLimits limits;
  limits.max_connections = 1;
  limits.listeners = {{.is_protected = true}};
  quotas.set_limits(limits);
  EXPECT_TRUE(quotas.admit(0, "a", 0));
  EXPECT_EQ(quotas.wait(0, 0).bound, Bound::node);
}

TEST(ConnectionQuotas, AListenerHasABoundOfItsOwn) {
  ConnectionQuotas quotas(2);
  ConnectionLimits limits = limits_of_two();
  limits.listeners[1].max_connections = 1;
  quotas.set_limits(limits);
  EXPECT_TRUE(quotas.admit(1, "a", 0));
  EXPECT_EQ(quotas.wait(1, 0).bound, Bound::listener) << "protected from the node's bound, not from its own";
  EXPECT_EQ(quotas.wait(0, 0).bound, Bound::none);
}

TEST(ConnectionQuotas, AnAddressHasItsBoundOrTheOneThatWasGivenToIt) {
  ConnectionQuotas quotas(2);
  ConnectionLimits limits = limits_of_two();
  limits.max_connections_per_ip = 1;
  limits.max_connections_per_ip_overrides = {{"10.0.0.9", 2}, {"10.0.0.8", 0}};
  quotas.set_limits(limits);
  EXPECT_TRUE(quotas.admit(0, "10.0.0.1", 0));
  EXPECT_FALSE(quotas.admit(1, "10.0.0.1", 0)) << "counted over all listeners";
  EXPECT_TRUE(quotas.admit(0, "10.0.0.9", 0));
  EXPECT_TRUE(quotas.admit(0, "10.0.0.9", 0));
  EXPECT_FALSE(quotas.admit(0, "10.0.0.9", 0));
  EXPECT_FALSE(quotas.admit(0, "10.0.0.8", 0));
  EXPECT_EQ(quotas.total(), 3) << "who was refused does not count";
  quotas.release(0, "10.0.0.1");
  EXPECT_TRUE(quotas.admit(0, "10.0.0.1", 0));
}

TEST(ConnectionQuotas, TheRateAllowsABurstAndThenSpacesConnectionsOut) {
  ConnectionQuotas quotas(2);
  ConnectionLimits limits = limits_of_two();
  limits.max_creation_rate_per_s = 5;
  quotas.set_limits(limits);
  int64_t now_us = 7 * second_us;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(quotas.wait(0, now_us).bound, Bound::none) << i;
    ASSERT_TRUE(quotas.admit(0, "a", now_us));
  }
  EXPECT_EQ(quotas.wait(0, now_us).bound, Bound::rate);
  EXPECT_EQ(quotas.wait(0, now_us).for_us, second_us / 5);
  EXPECT_EQ(quotas.wait(1, now_us).bound, Bound::none) << "brokers are not slowed down by clients";
  now_us += second_us / 5;
  EXPECT_EQ(quotas.wait(0, now_us).bound, Bound::none);
  EXPECT_TRUE(quotas.admit(0, "a", now_us));
  EXPECT_EQ(quotas.wait(0, now_us).bound, Bound::rate);
}

TEST(ConnectionQuotas, AChangedBoundCountsAtOnce) {
  ConnectionQuotas quotas(2);
  quotas.set_limits(limits_of_two());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(quotas.admit(0, "a", 0));
  ConnectionLimits limits = limits_of_two();
  limits.max_connections = 2;
  quotas.set_limits(limits);
  EXPECT_EQ(quotas.wait(0, 0).bound, Bound::node);
  EXPECT_TRUE(quotas.has_excess());
}

}  // namespace
}  // namespace moldau::server
