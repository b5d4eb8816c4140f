#include <algorithm>

#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

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
  EXPECT_FALSE(joined.skip_assignment);
  ASSERT_EQ(joined.members.size(), 1u);
  EXPECT_EQ(joined.members[0].metadata, subscription({"t"}));
  a.sync();
  EXPECT_EQ(as_text(a.take_sync().assignment), "parts of " + a.id);
  EXPECT_EQ(a.heartbeat(), 0);
}

TEST(JoinGroup, old_clients_join_without_coming_back_for_an_id) {
  TestWorld world;
  Member a{world};
  a.join_version = 3;
  a.join();
  world.advance(3'000);
  const auto joined = a.take_join();
  EXPECT_EQ(joined.error_code, 0);
  EXPECT_FALSE(joined.protocol_type.has_value());  // which version 3 could not encode
  EXPECT_EQ(joined.member_id, joined.leader);
}

TEST(JoinGroup, version_0_takes_the_session_timeout_for_the_rebalance_timeout) {
  TestWorld world;
  Member a{world};
  a.join_version = 0;
  a.rebalance_timeout_ms = -1;
  a.session_timeout_ms = 7'000;
  a.join();
  world.advance(3'000);
  a.take_join();
  world.advance(6'999);  // no SyncGroup within what would be the rebalance timeout
  EXPECT_EQ(world.shard().stats().members, 1u);
  world.advance(1);
  EXPECT_EQ(world.shard().stats().members, 0u);
}

TEST(JoinGroup, refuses_what_kafka_refuses) {
  TestWorld world;
  const auto refused = [&](auto change, int16_t version = 9) {
    Member member{world};
    auto request = member.join_request();
    change(request);
    return world.ask<JoinGroupResponse>(request, version);
  };
  EXPECT_EQ(refused([](auto& r) { r.group_id = ""; }).error_code, code(ErrorCode::invalid_group_id));
  EXPECT_EQ(refused([](auto& r) { r.session_timeout_ms = 5'999; }).error_code,
            code(ErrorCode::invalid_session_timeout));
  EXPECT_EQ(refused([](auto& r) { r.session_timeout_ms = 1'800'001; }).error_code,
            code(ErrorCode::invalid_session_timeout));
  EXPECT_EQ(refused([](auto& r) { r.member_id = "nobody"; }).error_code, code(ErrorCode::unknown_member_id));
  EXPECT_EQ(refused([](auto& r) { r.protocols.clear(); }).error_code, code(ErrorCode::inconsistent_group_protocol));
  EXPECT_EQ(refused([](auto& r) { r.protocol_type = ""; }).error_code, code(ErrorCode::inconsistent_group_protocol));
}

TEST(JoinGroup, errors_are_shaped_for_their_version) {
  TestWorld world;
  JoinGroupRequest request;  // all defaults, as the frames "sweep-JoinGroup" send it
  const auto old = world.ask<JoinGroupResponse>(request, 6);
  EXPECT_EQ(old.error_code, code(ErrorCode::invalid_group_id));
  EXPECT_EQ(old.protocol_name, "");
  EXPECT_EQ(old.generation_id, -1);
  const auto recent = world.ask<JoinGroupResponse>(request, 7);
  EXPECT_EQ(recent.protocol_name, std::nullopt);
  EXPECT_EQ(recent.protocol_type, std::nullopt);
}

TEST(JoinGroup, members_of_another_protocol_type_or_without_a_common_protocol_are_refused) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  Member connect{world};
  connect.protocol_type = "connect";
  connect.join();
  EXPECT_EQ(connect.take_join().error_code, code(ErrorCode::inconsistent_group_protocol));
  Member sticky{world};
  sticky.protocols = {{"sticky", subscription({"t"})}};
  sticky.join();
  EXPECT_EQ(sticky.take_join().error_code, code(ErrorCode::inconsistent_group_protocol));
  EXPECT_EQ(a.heartbeat(), 0);
}

TEST(JoinGroup, the_protocol_with_most_votes_among_the_common_ones_is_chosen) {
  TestWorld world;
  Member a{world}, b{world}, c{world};
  a.protocols = {{"only-a", {}}, {"range", {}}, {"sticky", {}}};
  b.protocols = {{"sticky", {}}, {"range", {}}};
  c.protocols = {{"sticky", {}}, {"range", {}}};
  for (Member* member : {&a, &b, &c}) member->join();
  world.advance(60'000);
  EXPECT_EQ(a.take_join().protocol_name, "sticky");
  EXPECT_EQ(b.take_join().protocol_name, "sticky");
}

TEST(JoinGroup, only_the_leader_sees_the_members) {
  TestWorld world;
  Member a{world}, b{world};
  a.join();
  b.join();
  world.advance(10'000);
  EXPECT_EQ(a.take_join().members.size(), 2u);
  const auto joined = b.take_join();
  EXPECT_TRUE(joined.members.empty());
  EXPECT_EQ(joined.leader, a.id);
}

TEST(JoinGroup, a_member_that_was_given_an_id_and_stays_away_does_not_stop_the_group_for_long) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  Member ghost{world};
  ghost.session_timeout_ms = 20'000;
  const auto given = world.ask<JoinGroupResponse>(ghost.join_request(), 9);
  EXPECT_EQ(given.error_code, code(ErrorCode::member_id_required));
  EXPECT_FALSE(given.member_id.empty());
  // A member that rejoins meanwhile waits for the one that has its id.
  a.protocols = {{"range", subscription({"t", "u"})}};
  a.join();
  world.advance(19'999);
  EXPECT_FALSE(a.joined());
  world.advance(1);
  EXPECT_TRUE(a.joined());
  ghost.id = given.member_id;
  ghost.join();
  EXPECT_EQ(ghost.take_join().error_code, code(ErrorCode::unknown_member_id));
}

TEST(JoinGroup, one_that_was_given_an_id_may_join_a_group_that_everybody_else_has_left) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a});
  b.id = world.ask<JoinGroupResponse>(b.join_request(), 9).member_id;
  a.leave();
  b.protocols = {{"sticky", {}}};
  b.join();
  EXPECT_EQ(b.take_join().error_code, 0);
}

TEST(JoinGroup, a_full_group_takes_nobody_more) {
  TestWorld world(GroupConfig{.max_group_size = 2});
  Member a{world}, b{world}, c{world};
  settle(world, {&a, &b});
  c.join();
  EXPECT_EQ(c.take_join().error_code, code(ErrorCode::group_max_size_reached));
  EXPECT_EQ(a.heartbeat(), 0);
  // During a rebalance those who come first get the room, whoever was there before.
  a.protocols = {{"range", subscription({"u"})}};
  a.join();
  Member d{world};
  d.join();
  EXPECT_FALSE(d.joined());
  b.join();
  EXPECT_EQ(b.take_join().error_code, code(ErrorCode::group_max_size_reached));
}

TEST(JoinGroup, a_lost_answer_is_given_again_in_the_same_generation) {
  TestWorld world;
  Member a{world}, b{world};
  a.join();
  b.join();
  world.advance(10'000);
  a.take_join();
  b.take_join();
  b.join();  // CompletingRebalance, same metadata
  EXPECT_EQ(b.take_join().generation_id, 1);
  a.join();
  EXPECT_EQ(a.take_join().members.size(), 2u);
  a.sync();
  a.take_sync();
  b.join();  // Stable: a follower with nothing new
  EXPECT_EQ(b.take_join().generation_id, 1);
}

TEST(JoinGroup, a_leader_that_rejoins_starts_a_rebalance) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  a.join();
  EXPECT_FALSE(a.joined());
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::rebalance_in_progress));
  b.join();
  EXPECT_EQ(a.take_join().generation_id, 2);
  EXPECT_EQ(b.take_join().generation_id, 2);
}

TEST(JoinGroup, cooperative_members_rejoin_with_what_they_own_and_keep_it) {
  // To the coordinator both protocols are bytes: what a cooperative member owns travels in its metadata.
  TestWorld world;
  Member a{world}, b{world};
  a.protocols = b.protocols = {{"cooperative-sticky", to_bytes("owns nothing")}};
  settle(world, {&a});
  b.join();
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::rebalance_in_progress));
  EXPECT_EQ(a.commit("t", 0, 5), 0);  // it still owns its partitions and may commit
  a.protocols = {{"cooperative-sticky", to_bytes("owns t-0 t-1")}};
  a.join();
  const auto joined = a.take_join();
  const auto mine = std::ranges::find(joined.members, a.id, &JoinGroupResponse::JoinGroupResponseMember::member_id);
  EXPECT_EQ(as_text(mine->metadata), "owns t-0 t-1");
  b.take_join();
  a.sync();
  b.sync();
  EXPECT_EQ(as_text(b.take_sync().assignment), "parts of " + b.id);
}

TEST(JoinGroup, a_second_connection_of_the_same_member_takes_the_place_of_the_first) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  a.join();
  const ReplyToken first = a.waiting;
  a.join();
  EXPECT_EQ(world.answer<JoinGroupResponse>(first).error_code, code(ErrorCode::rebalance_in_progress));
  EXPECT_FALSE(a.joined());
  b.join();
  EXPECT_EQ(a.take_join().error_code, 0);
}

TEST(JoinGroup, a_protocol_listed_twice_counts_once) {
  TestWorld world;
  Member a{world};
  a.protocols = {{"range", to_bytes("1")}, {"range", to_bytes("2")}};
  a.join();
  world.advance(3'000);
  EXPECT_EQ(a.take_join().error_code, 0);
}

}  // namespace
}  // namespace moldau::groups
