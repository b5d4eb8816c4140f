#include <algorithm>

#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

[[maybe_unused]] constexpr int16_t code(ErrorCode error) { return static_cast<int16_t>(error); }

TEST(JoinGroup, a_lone_member_waits_out_the_initial_delay_and_leads) {
  TestWorld world;
  Member a{world};
  a.join();
  EXPECT_TRUE(a.id.starts_with("client-"));
  EXPECT_EQ(a.id.size(), 7u + 36u);
  world.advance(2'999);
  EXPECT_FALSE(a.joined());
  world.advance(1);
  const auto joined = a.take_join();
  EXPECT_EQ(joined.error_code, 0);
  EXPECT_EQ(joined.generation_id, 1);
  EXPECT_EQ(joined.leader, a.id);
  EXPECT_EQ(joined.protocol_name, "range");
  EXPECT_EQ(joined.protocol_type, "consumer");
  ASSERT_EQ(joined.members.size(), 1u);
  EXPECT_EQ(joined.members[0].metadata, subscription({"t"}));
  a.sync();
  EXPECT_EQ(as_text(a.take_sync().assignment), "parts of " + a.id);
  EXPECT_EQ(a.heartbeat(), 0);
}

}  // namespace
}  // namespace moldau::groups
