#include <algorithm>

#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

DescribeGroupsResponse::DescribedGroup describe(TestWorld& world, const std::string& group, int16_t version = 6) {
  DescribeGroupsRequest request;
  request.groups = {group};
  return world.ask<DescribeGroupsResponse>(request, version).groups.front();
}

std::vector<std::string> list(TestWorld& world, std::vector<std::string> states, std::vector<std::string> types) {
  ListGroupsRequest request;
  request.states_filter = std::move(states);
  request.types_filter = std::move(types);
  std::vector<std::string> ids;
  for (const auto& group : world.ask<ListGroupsResponse>(request, 5).groups) ids.push_back(group.group_id);
  return ids;
}

int16_t delete_group(TestWorld& world, const std::string& group) {
  DeleteGroupsRequest request;
  request.groups_names = {group};
  return world.ask<DeleteGroupsResponse>(request, 2).results.front().error_code;
}

TEST(DescribeGroups, follows_a_group_through_its_states) {
  TestWorld world;
  Member a{world};
  EXPECT_EQ(describe(world, "g", 5).group_state, "Dead");
  EXPECT_EQ(describe(world, "g", 5).error_code, 0);
  EXPECT_EQ(describe(world, "g").error_code, code(ErrorCode::group_id_not_found));
  EXPECT_EQ(describe(world, "g").error_message, "Group g not found.");
  a.join();
  EXPECT_EQ(describe(world, "g").group_state, "PreparingRebalance");
  world.advance(3'000);
  a.take_join();
  auto described = describe(world, "g");
  EXPECT_EQ(described.group_state, "CompletingRebalance");
  EXPECT_EQ(described.protocol_data, "");
  EXPECT_TRUE(described.members[0].member_metadata.empty());
  a.sync();
  a.take_sync();
  described = describe(world, "g");
  EXPECT_EQ(described.group_state, "Stable");
  EXPECT_EQ(described.protocol_type, "consumer");
  EXPECT_EQ(described.protocol_data, "range");
  ASSERT_EQ(described.members.size(), 1u);
  EXPECT_EQ(described.members[0].client_id, "client");
  EXPECT_EQ(described.members[0].client_host, "/127.0.0.1");
  EXPECT_EQ(described.members[0].member_metadata, subscription({"t"}));
  EXPECT_EQ(as_text(described.members[0].member_assignment), "parts of " + a.id);
  a.leave();
  described = describe(world, "g");
  EXPECT_EQ(described.group_state, "Empty");
  EXPECT_EQ(described.protocol_type, "consumer");
}

TEST(DescribeGroups, does_not_show_a_group_that_is_not_committed_yet) {
  TestWorld world;
  world.hold();
  Member a{world};
  a.join();
  EXPECT_EQ(describe(world, "g").group_state, "Dead");
  EXPECT_TRUE(list(world, {}, {}).empty());
  world.commit();
  EXPECT_EQ(describe(world, "g").group_state, "PreparingRebalance");
}

TEST(ListGroups, filters_by_state_and_type_in_any_case) {
  TestWorld world;
  Member stable{world}, simple{world};
  stable.group = "stable";
  simple.group = "simple";
  settle(world, {&stable});
  simple.commit("t", 0, 1);
  EXPECT_EQ(list(world, {}, {}), (std::vector<std::string>{"simple", "stable"}));
  EXPECT_EQ(list(world, {" StAbLe "}, {}), (std::vector<std::string>{"stable"}));
  EXPECT_EQ(list(world, {"Empty", "Dead"}, {"Classic"}), (std::vector<std::string>{"simple"}));
  EXPECT_TRUE(list(world, {}, {"consumer"}).empty());
  EXPECT_TRUE(list(world, {}, {"nonsense"}).empty());
  const auto all = world.ask<ListGroupsResponse>(ListGroupsRequest{}, 5).groups;
  EXPECT_EQ(all[0].protocol_type, "");
  EXPECT_EQ(all[0].group_state, "Empty");
  EXPECT_EQ(all[0].group_type, "classic");
  EXPECT_EQ(all[1].protocol_type, "consumer");
}

TEST(DeleteGroups, removes_an_empty_group_with_its_offsets_for_good) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  a.commit("t", 0, 1);
  EXPECT_EQ(delete_group(world, "g"), code(ErrorCode::non_empty_group));
  a.leave();
  EXPECT_EQ(delete_group(world, "g"), 0);
  EXPECT_EQ(delete_group(world, "g"), code(ErrorCode::group_id_not_found));
  EXPECT_EQ(committed(world, "g", "t", 0), -1);
  world.restart();
  EXPECT_EQ(world.shard().durable_state(), "");
  EXPECT_TRUE(list(world, {}, {}).empty());
}

TEST(DeleteGroups, that_cannot_be_stored_leaves_everything) {
  TestWorld world;
  Member simple{world};
  simple.commit("t", 0, 1);
  const std::string before = world.shard().durable_state();
  world.hold();
  DeleteGroupsRequest request;
  request.groups_names = {"g", "g", "other"};
  const auto token = world.send(request, 2);
  world.fail(ErrorCode::not_leader_or_follower);
  const auto response = world.answer<DeleteGroupsResponse>(token);
  ASSERT_EQ(response.results.size(), 2u);  // a name given twice is answered once
  EXPECT_EQ(response.results[0].error_code, code(ErrorCode::not_coordinator));
  EXPECT_EQ(world.shard().durable_state(), before);
  EXPECT_EQ(world.shard().stats().offsets, 1u);
}

TEST(DeleteGroups, also_takes_an_offset_that_is_on_its_way) {
  TestWorld world;
  Member simple{world};
  world.hold();
  world.send(simple.commit_request("t", 0, 1), 9);
  DeleteGroupsRequest request;
  request.groups_names = {"g"};
  const auto token = world.send(request, 2);
  world.release();
  EXPECT_EQ(world.answer<DeleteGroupsResponse>(token).results[0].error_code, 0);
  world.restart();
  EXPECT_EQ(world.shard().durable_state(), "");
}

TEST(CoordinatorShard, refuses_everything_while_it_loads_but_a_heartbeat) {
  CoordinatorShard shard({}, [] { return 0; });
  const auto refused = [&](const Request& request, int16_t version) {
    auto output = shard.step({.token = 1, .version = version}, request, 0);
    EXPECT_EQ(output.replies.size(), 1u);
    return std::move(output.replies.front().response);
  };
  const auto loading = code(ErrorCode::coordinator_load_in_progress);
  EXPECT_EQ(std::get<protocol::HeartbeatResponse>(refused(HeartbeatRequest{}, 4)).error_code, 0);
  EXPECT_EQ(std::get<JoinGroupResponse>(refused(JoinGroupRequest{}, 9)).error_code, loading);
  EXPECT_EQ(std::get<SyncGroupResponse>(refused(SyncGroupRequest{}, 5)).error_code, loading);
  EXPECT_EQ(std::get<LeaveGroupResponse>(refused(LeaveGroupRequest{}, 5)).error_code, loading);
  EXPECT_EQ(std::get<ListGroupsResponse>(refused(ListGroupsRequest{}, 5)).error_code, loading);
  EXPECT_EQ(std::get<OffsetDeleteResponse>(refused(OffsetDeleteRequest{}, 0)).error_code, loading);
  EXPECT_EQ(std::get<FetchedGroup>(refused(fetch_request("g", "t", {0}), 8)).error_code, loading);
  const auto old = std::get<FetchedGroup>(refused(fetch_request("g", "t", {0}), 1));
  EXPECT_EQ(old.error_code, 0);  // version 1 has no place for it
  EXPECT_EQ(old.topics[0].partitions[0].error_code, loading);
  DescribeGroupsRequest describe_request;
  describe_request.groups = {"g"};
  EXPECT_EQ(std::get<DescribeGroupsResponse>(refused(describe_request, 6)).groups[0].error_code, loading);
  DeleteGroupsRequest delete_request;
  delete_request.groups_names = {"g"};
  EXPECT_EQ(std::get<DeleteGroupsResponse>(refused(delete_request, 2)).results[0].error_code, loading);
}

TEST(CoordinatorShard, unloading_sends_everybody_to_the_next_coordinator) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  a.join();
  world.hold();
  Member simple{world};
  simple.group = "simple";
  const auto commit = world.send(simple.commit_request("t", 0, 1), 9);
  world.take(world.shard().unload());
  EXPECT_EQ(a.take_join().error_code, code(ErrorCode::not_coordinator));
  EXPECT_EQ(world.answer<OffsetCommitResponse>(commit).topics[0].partitions[0].error_code,
            code(ErrorCode::not_coordinator));
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::not_coordinator));
  EXPECT_FALSE(world.shard().next_deadline().has_value());
}

}  // namespace
}  // namespace moldau::groups
