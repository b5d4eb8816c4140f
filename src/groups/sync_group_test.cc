#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

// A group of two that has joined and not synced yet; a leads.
struct Joined {
  TestWorld world;
  Member a{world}, b{world};
  Joined() {
    a.join();
    b.join();
    world.advance(10'000);
    a.take_join();
    b.take_join();
  }
};

TEST(SyncGroup, followers_wait_for_the_leader_and_nobody_learns_what_is_not_stored) {
  Joined joined;
  auto& [world, a, b] = joined;
  b.sync();
  EXPECT_FALSE(world.answered(b.waiting));
  world.hold();
  a.sync();
  EXPECT_FALSE(world.answered(a.waiting));
  EXPECT_FALSE(world.answered(b.waiting));
  EXPECT_EQ(world.shard().stats().classic_by_state[static_cast<int>(ClassicState::completing_rebalance)], 1u);
  world.commit();
  EXPECT_EQ(as_text(a.take_sync().assignment), "parts of " + a.id);
  const auto synced = b.take_sync();
  EXPECT_EQ(as_text(synced.assignment), "parts of " + b.id);
  EXPECT_EQ(synced.protocol_name, "range");
  EXPECT_EQ(synced.protocol_type, "consumer");
}

TEST(SyncGroup, late_followers_get_their_assignment_from_the_stable_group) {
  Joined joined;
  auto& [world, a, b] = joined;
  a.sync();
  a.take_sync();
  b.waiting = world.send(b.sync_request(), 4);
  const auto synced = b.take_sync();
  EXPECT_EQ(as_text(synced.assignment), "parts of " + b.id);
  EXPECT_FALSE(synced.protocol_name.has_value());  // version 4 could not say it
}

TEST(SyncGroup, refuses_what_kafka_refuses) {
  Joined joined;
  auto& [world, a, b] = joined;
  const auto refused = [&](auto change, int16_t version = 5) {
    auto request = b.sync_request();
    change(request);
    return world.ask<SyncGroupResponse>(request, version).error_code;
  };
  EXPECT_EQ(refused([](auto& r) { r.group_id = ""; }), code(ErrorCode::invalid_group_id));
  EXPECT_EQ(refused([](auto& r) { r.group_id = "other"; }), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(refused([](auto& r) { r.member_id = "other"; }), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(refused([](auto& r) { r.generation_id = 0; }), code(ErrorCode::illegal_generation));
  EXPECT_EQ(refused([](auto& r) { r.group_instance_id = "x"; }), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(refused([](auto& r) { r.protocol_type = "connect"; }), code(ErrorCode::inconsistent_group_protocol));
  EXPECT_EQ(refused([](auto& r) { r.protocol_name = "sticky"; }), code(ErrorCode::inconsistent_group_protocol));
  EXPECT_EQ(refused([](auto& r) { r.protocol_type.reset(); }), code(ErrorCode::inconsistent_group_protocol));
  a.protocols = {{"range", to_bytes("new")}};
  a.join();  // a rebalance starts
  EXPECT_EQ(refused([](auto&) {}), code(ErrorCode::rebalance_in_progress));
}

TEST(SyncGroup, a_rebalance_sends_waiting_members_back_to_join) {
  Joined joined;
  auto& [world, a, b] = joined;
  b.sync();
  Member c{world};
  c.join();
  EXPECT_EQ(b.take_sync().error_code, code(ErrorCode::rebalance_in_progress));
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::rebalance_in_progress));
}

TEST(SyncGroup, an_assignment_that_cannot_be_stored_is_handed_to_nobody) {
  Joined joined;
  auto& [world, a, b] = joined;
  b.sync();
  world.hold();
  a.sync();
  world.fail(ErrorCode::kafka_storage_error);
  EXPECT_EQ(a.take_sync().error_code, code(ErrorCode::not_coordinator));
  EXPECT_EQ(b.take_sync().error_code, code(ErrorCode::not_coordinator));
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::rebalance_in_progress));
}

TEST(SyncGroup, an_assignment_stored_too_late_for_its_generation_is_dropped) {
  Joined joined;
  auto& [world, a, b] = joined;
  world.hold();
  a.sync();
  Member c{world};
  c.join();
  EXPECT_EQ(a.take_sync().error_code, code(ErrorCode::rebalance_in_progress));
  world.commit();
  a.join();
  b.join();
  EXPECT_EQ(a.take_join().generation_id, 2);
  EXPECT_EQ(world.shard().stats().completed_rebalances, 0u);
}

TEST(SyncGroup, an_assignment_stored_when_the_next_generation_has_begun_is_dropped) {
  Joined joined;
  auto& [world, a, b] = joined;
  world.hold();
  a.sync();
  Member c{world};
  c.join();
  a.take_sync();
  a.join();
  b.join();
  EXPECT_EQ(a.take_join().generation_id, 2);
  c.take_join();
  c.sync();
  world.commit();
  EXPECT_FALSE(world.answered(c.waiting));
  EXPECT_EQ(world.shard().stats().completed_rebalances, 0u);
}

TEST(SyncGroup, members_that_the_leader_forgot_get_an_empty_assignment) {
  Joined joined;
  auto& [world, a, b] = joined;
  a.seen_members = {a.id, "stranger"};
  b.sync();
  a.sync();
  const auto synced = b.take_sync();
  EXPECT_EQ(synced.error_code, 0);
  EXPECT_TRUE(synced.assignment.empty());
}

TEST(Heartbeat, refuses_what_kafka_refuses) {
  Joined joined;
  auto& [world, a, b] = joined;
  EXPECT_EQ(a.heartbeat(), 0);  // also before the assignment
  const auto refused = [&](auto change) {
    HeartbeatRequest request;
    request.group_id = "g";
    request.member_id = a.id;
    request.generation_id = a.generation;
    change(request);
    return world.ask<HeartbeatResponse>(request, 4).error_code;
  };
  EXPECT_EQ(refused([](auto& r) { r.group_id = ""; }), code(ErrorCode::invalid_group_id));
  EXPECT_EQ(refused([](auto& r) { r.group_id = "other"; }), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(refused([](auto& r) { r.member_id = "other"; }), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(refused([](auto& r) { r.generation_id = 2; }), code(ErrorCode::illegal_generation));
}

TEST(LeaveGroup, a_leaver_is_gone_at_once_and_the_others_rebalance) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  const auto left = a.leave();
  EXPECT_EQ(left.error_code, 0);
  ASSERT_EQ(left.members.size(), 1u);
  EXPECT_EQ(left.members[0].member_id, a.id);
  EXPECT_EQ(left.members[0].error_code, 0);
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::rebalance_in_progress));
  b.join();
  EXPECT_EQ(b.take_join().leader, b.id);
  EXPECT_EQ(a.leave().members[0].error_code, code(ErrorCode::unknown_member_id));
}

TEST(LeaveGroup, each_member_of_a_batch_has_its_own_error) {
  TestWorld world;
  Member a{world}, b{world}, pending{world};
  settle(world, {&a, &b});
  const auto given = world.ask<JoinGroupResponse>(pending.join_request(), 9);
  LeaveGroupRequest request;
  request.group_id = "g";
  for (const std::string& id : {a.id, std::string("nobody"), given.member_id, std::string()}) {
    request.members.emplace_back().member_id = id;
  }
  const auto left = world.ask<LeaveGroupResponse>(request, 3);
  ASSERT_EQ(left.members.size(), 4u);
  EXPECT_EQ(left.members[0].error_code, 0);
  EXPECT_EQ(left.members[1].error_code, code(ErrorCode::unknown_member_id));
  EXPECT_EQ(left.members[2].error_code, 0);
  EXPECT_EQ(left.members[3].error_code, code(ErrorCode::unknown_member_id));
}

TEST(LeaveGroup, before_version_3_the_members_error_is_the_answers) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  LeaveGroupRequest request;
  request.group_id = "g";
  request.member_id = "nobody";
  auto left = world.ask<LeaveGroupResponse>(request, 2);
  EXPECT_EQ(left.error_code, code(ErrorCode::unknown_member_id));
  EXPECT_TRUE(left.members.empty());
  request.member_id = a.id;
  left = world.ask<LeaveGroupResponse>(request, 0);
  EXPECT_EQ(left.error_code, 0);
  EXPECT_EQ(world.shard().stats().members, 0u);
  request.group_id = "";
  EXPECT_EQ(world.ask<LeaveGroupResponse>(request, 2).error_code, code(ErrorCode::invalid_group_id));
  request.group_id = "unknown";
  EXPECT_EQ(world.ask<LeaveGroupResponse>(request, 1).error_code, code(ErrorCode::unknown_member_id));
}

TEST(LeaveGroup, who_waits_in_join_is_told_when_somebody_removes_it) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  a.join();
  LeaveGroupRequest request;
  request.group_id = "g";
  request.members.emplace_back().member_id = a.id;
  world.ask<LeaveGroupResponse>(request, 5);
  EXPECT_EQ(a.take_join().error_code, code(ErrorCode::unknown_member_id));
}

}  // namespace
}  // namespace moldau::groups
