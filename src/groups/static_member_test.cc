#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

Member static_member(TestWorld& world, const std::string& instance) {
  Member member{world};
  member.instance_id = instance;
  return member;
}

TEST(StaticMember, joins_at_once_under_an_id_made_of_its_instance) {
  TestWorld world;
  Member a = static_member(world, "one");
  a.join();
  world.advance(3'000);
  EXPECT_EQ(a.take_join().error_code, 0);
  EXPECT_TRUE(a.id.starts_with("one-"));
}

TEST(StaticMember, comes_back_after_a_restart_without_a_rebalance) {
  TestWorld world;
  Member a = static_member(world, "one"), b = static_member(world, "two");
  settle(world, {&a, &b});
  const std::string old_id = b.id;
  b.id = "";
  b.join();
  const auto joined = b.take_join();
  EXPECT_EQ(joined.error_code, 0);
  EXPECT_NE(joined.member_id, old_id);
  EXPECT_EQ(joined.generation_id, 1);
  EXPECT_FALSE(joined.skip_assignment);
  EXPECT_EQ(a.heartbeat(), 0);
  b.sync();
  EXPECT_EQ(as_text(b.take_sync().assignment), "parts of " + old_id);
  // The new id is in the log.
  world.restart();
  EXPECT_EQ(b.heartbeat(), 0);
}

TEST(StaticMember, a_returning_leader_of_version_9_sees_the_members_and_is_told_not_to_assign) {
  TestWorld world;
  Member a = static_member(world, "one"), b = static_member(world, "two");
  settle(world, {&a, &b});
  a.id = "";
  a.join();
  const auto joined = a.take_join();
  EXPECT_TRUE(joined.skip_assignment);
  EXPECT_EQ(joined.leader, joined.member_id);
  EXPECT_EQ(joined.members.size(), 2u);
}

TEST(StaticMember, a_returning_leader_of_an_older_version_believes_that_another_leads) {
  TestWorld world;
  Member a = static_member(world, "one");
  settle(world, {&a});
  const std::string old_id = a.id;
  a.id = "";
  a.join_version = 8;
  a.join();
  const auto joined = a.take_join();
  EXPECT_EQ(joined.leader, old_id);
  EXPECT_TRUE(joined.members.empty());
  EXPECT_FALSE(joined.skip_assignment);
}

TEST(StaticMember, the_one_that_was_replaced_is_fenced_everywhere) {
  TestWorld world;
  Member old = static_member(world, "one");
  settle(world, {&old});
  Member next = static_member(world, "one");
  next.join();
  EXPECT_EQ(next.take_join().error_code, 0);
  EXPECT_EQ(old.heartbeat(), code(ErrorCode::fenced_instance_id));
  EXPECT_EQ(old.commit("t", 0, 1), code(ErrorCode::fenced_instance_id));
  old.join();
  EXPECT_EQ(old.take_join().error_code, code(ErrorCode::fenced_instance_id));
  old.sync();
  EXPECT_EQ(old.take_sync().error_code, code(ErrorCode::fenced_instance_id));
  EXPECT_EQ(old.leave().members[0].error_code, code(ErrorCode::fenced_instance_id));
  EXPECT_EQ(next.heartbeat(), 0);
}

TEST(StaticMember, the_request_of_a_replaced_one_that_waits_is_fenced) {
  TestWorld world;
  Member a = static_member(world, "one"), b = static_member(world, "two");
  settle(world, {&a, &b});
  a.join();  // the leader: a rebalance starts
  Member next = static_member(world, "one");
  next.join();
  EXPECT_EQ(a.take_join().error_code, code(ErrorCode::fenced_instance_id));
  b.join();
  const auto joined = next.take_join();
  EXPECT_EQ(joined.leader, next.id);
  EXPECT_EQ(joined.members.size(), 2u);
}

TEST(StaticMember, with_another_choice_of_protocol_starts_a_rebalance) {
  TestWorld world;
  Member a = static_member(world, "one");
  a.protocols = {{"range", {}}, {"sticky", {}}};
  settle(world, {&a});
  a.id = "";
  a.protocols = {{"sticky", {}}, {"range", {}}};
  a.join();
  const auto joined = a.take_join();
  EXPECT_EQ(joined.generation_id, 2);
  EXPECT_EQ(joined.protocol_name, "sticky");
}

TEST(StaticMember, stays_in_the_group_over_a_rebalance_that_it_misses_until_its_session_ends) {
  TestWorld world;
  Member a{world}, b = static_member(world, "two");
  a.session_timeout_ms = 30'000;
  a.rebalance_timeout_ms = b.rebalance_timeout_ms = 5'000;
  b.session_timeout_ms = 100'000;
  settle(world, {&a, &b});
  a.join();  // the leader asks for a new generation, b is restarting
  world.advance(5'000);
  const auto joined = a.take_join();
  EXPECT_EQ(joined.members.size(), 2u);
}

TEST(StaticMember, an_administrator_removes_one_by_its_instance) {
  TestWorld world;
  Member a = static_member(world, "one"), b = static_member(world, "two");
  settle(world, {&a, &b});
  LeaveGroupRequest request;
  request.group_id = "g";
  for (const char* instance : {"two", "three"}) {
    auto& one = request.members.emplace_back();
    one.group_instance_id = instance;
    one.reason = "removed by hand";
  }
  const auto left = world.ask<LeaveGroupResponse>(request, 5);
  EXPECT_EQ(left.error_code, 0);
  EXPECT_EQ(left.members[0].error_code, 0);
  EXPECT_EQ(left.members[1].error_code, code(ErrorCode::unknown_member_id));
  EXPECT_EQ(left.members[1].group_instance_id, "three");
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::rebalance_in_progress));
}

TEST(StaticMember, if_the_new_id_cannot_be_stored_the_old_one_lives_on) {
  TestWorld world;
  Member a = static_member(world, "one");
  settle(world, {&a});
  Member next = static_member(world, "one");
  world.hold();
  next.join();
  EXPECT_FALSE(next.joined());  // told only when it is stored
  world.fail(ErrorCode::not_enough_replicas);
  EXPECT_EQ(next.take_join().error_code, code(ErrorCode::coordinator_not_available));
  EXPECT_EQ(a.heartbeat(), 0);
  EXPECT_EQ(a.is_leader(), true);
}

}  // namespace
}  // namespace moldau::groups
