#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

TEST(InitialRebalance, is_extended_while_members_come_and_ends_at_the_rebalance_timeout) {
  TestWorld world;
  std::vector<Member> members(10, Member{world});
  for (Member& member : members) member.rebalance_timeout_ms = 10'000;
  const int64_t start = world.now_ms;
  for (Member& member : members) {  // one each second
    member.join();
    if (members[0].joined()) break;
    world.advance(1'000);
  }
  while (!members[0].joined()) world.advance(100);
  EXPECT_LE(world.now_ms - start, 10'000);
  EXPECT_GT(world.now_ms - start, 6'000);
}

TEST(InitialRebalance, is_not_extended_when_nobody_comes) {
  TestWorld world;
  Member a{world}, b{world};
  a.join();
  b.join();
  world.advance(3'000);  // b came during the first delay: one more
  EXPECT_FALSE(a.joined());
  world.advance(3'000);
  EXPECT_TRUE(a.joined());
}

TEST(InitialRebalance, without_a_delay_is_over_at_once) {
  TestWorld world(GroupConfig{.initial_rebalance_delay_ms = 0});
  Member a{world};
  a.join();
  world.advance(0);
  EXPECT_TRUE(a.joined());
}

TEST(Rebalance, ends_as_soon_as_everybody_is_back) {
  TestWorld world;
  Member a{world}, b{world}, c{world};
  settle(world, {&a, &b});
  c.join();
  a.join();
  EXPECT_FALSE(c.joined());
  b.join();
  EXPECT_TRUE(a.joined() && b.joined() && c.joined());
  EXPECT_EQ(a.take_join().members.size(), 3u);
}

TEST(Rebalance, leaves_out_members_that_do_not_come_back_in_the_longest_rebalance_timeout) {
  TestWorld world;
  Member a{world}, b{world}, c{world};
  a.rebalance_timeout_ms = 20'000;
  b.rebalance_timeout_ms = 30'000;  // its max.poll.interval.ms; it is stuck in a poll loop and only heartbeats
  settle(world, {&a, &b});
  c.rebalance_timeout_ms = 5'000;
  c.join();
  a.join();
  for (int second = 0; second < 29; ++second) {
    world.advance(1'000);
    EXPECT_EQ(b.heartbeat(), code(ErrorCode::rebalance_in_progress));
  }
  EXPECT_FALSE(a.joined());
  world.advance(1'000);
  EXPECT_EQ(a.take_join().members.size(), 2u);
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::unknown_member_id));
  b.join();
  EXPECT_EQ(b.take_join().error_code, code(ErrorCode::unknown_member_id));
}

TEST(Rebalance, a_leader_that_stays_away_is_followed_by_the_first_that_came) {
  TestWorld world;
  Member a{world}, b{world}, c{world};
  settle(world, {&a, &b});
  c.join();
  b.join();
  for (int i = 0; i < 12; ++i) {
    world.advance(5'000);
    a.heartbeat();
  }
  EXPECT_EQ(c.take_join().leader, b.id);
  EXPECT_EQ(b.take_join().members.size(), 2u);
}

TEST(Session, a_member_without_heartbeat_is_out_and_the_others_rebalance) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  world.advance(9'000);
  EXPECT_EQ(a.heartbeat(), 0);
  world.advance(1'000);
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::rebalance_in_progress));
  a.join();
  EXPECT_EQ(a.take_join().members.size(), 1u);
}

TEST(Session, a_commit_is_a_sign_of_life) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  for (int i = 0; i < 5; ++i) {
    world.advance(9'000);
    EXPECT_EQ(a.commit("t", 0, i), 0);
  }
  EXPECT_EQ(a.heartbeat(), 0);
}

TEST(Session, who_waits_for_the_group_needs_no_heartbeat) {
  TestWorld world;
  Member a{world}, b{world};
  a.rebalance_timeout_ms = b.rebalance_timeout_ms = 60'000;
  settle(world, {&a, &b});
  a.join();
  for (int i = 0; i < 5; ++i) {
    world.advance(9'000);
    b.heartbeat();
  }
  EXPECT_FALSE(a.joined());
  b.join();
  EXPECT_EQ(a.take_join().error_code, 0);
}

TEST(Session, a_new_member_that_vanishes_while_it_waits_is_out_after_five_minutes) {
  TestWorld world;
  Member a{world}, b{world};
  a.rebalance_timeout_ms = b.rebalance_timeout_ms = 1'000'000;
  settle(world, {&a});
  b.join();
  for (int i = 0; i < 299; ++i) {
    world.advance(1'000);
    a.heartbeat();
  }
  EXPECT_EQ(world.shard().stats().members, 2u);
  world.advance(1'000);
  EXPECT_EQ(world.shard().stats().members, 1u);
  EXPECT_EQ(b.take_join().error_code, code(ErrorCode::unknown_member_id));
}

TEST(Sync, members_that_do_not_sync_in_the_rebalance_timeout_are_out) {
  TestWorld world;
  Member a{world}, b{world};
  a.rebalance_timeout_ms = b.rebalance_timeout_ms = 15'000;
  a.join();
  b.join();
  while (!a.joined()) world.advance(500);
  a.take_join();
  b.take_join();
  b.sync();  // the leader never does, though it is alive
  for (int i = 0; i < 14; ++i) {
    world.advance(1'000);
    EXPECT_EQ(a.heartbeat(), 0);
  }
  world.advance(1'000);
  EXPECT_EQ(b.take_sync().error_code, code(ErrorCode::rebalance_in_progress));
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::unknown_member_id));
  b.join();
  EXPECT_EQ(b.take_join().leader, b.id);
}

TEST(Rebalance, the_last_member_leaving_empties_the_group) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  world.advance(10'000);  // its session ends
  const auto stats = world.shard().stats();
  EXPECT_EQ(stats.members, 0u);
  EXPECT_EQ(stats.classic_by_state[static_cast<int>(ClassicState::empty)], 1u);
  EXPECT_NE(world.shard().durable_state().find("classic Empty generation 2"), std::string::npos);
  Member b{world};
  settle(world, {&b});
  EXPECT_EQ(b.generation, 3);
}

TEST(Rebalance, three_share_and_a_fourth_takes_over_when_one_dies) {
  TestWorld world;
  Member a{world}, b{world}, c{world}, d{world};
  settle(world, {&a, &b, &c});
  d.join();
  for (Member* member : {&a, &b, &c}) member->join();
  for (Member* member : {&a, &b, &c, &d}) member->take_join();
  for (Member* member : {&a, &b, &c, &d}) member->sync();
  for (Member* member : {&a, &b, &c, &d}) EXPECT_EQ(as_text(member->take_sync().assignment), "parts of " + member->id);
  world.advance(6'000);
  for (Member* member : {&a, &b, &d}) EXPECT_EQ(member->heartbeat(), 0);
  world.advance(4'000);  // c is dead
  for (Member* member : {&a, &b, &d}) EXPECT_EQ(member->heartbeat(), code(ErrorCode::rebalance_in_progress));
  for (Member* member : {&a, &b, &d}) member->join();
  EXPECT_EQ(a.take_join().members.size(), 3u);
}

}  // namespace
}  // namespace moldau::groups
