#include "groups/offset_fetch_shape.h"

#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

TEST(OffsetFetch, what_is_not_there_is_no_error) {
  TestWorld world;
  const auto fetched = world.ask<FetchedGroup>(fetch_request("nobody", "t", {0}), 1);
  EXPECT_EQ(fetched.error_code, 0);
  const auto& partition = fetched.topics[0].partitions[0];
  EXPECT_EQ(partition.committed_offset, -1);
  EXPECT_EQ(partition.committed_leader_epoch, -1);
  EXPECT_EQ(partition.metadata, "");
  EXPECT_EQ(partition.error_code, 0);
}

TEST(OffsetFetch, null_topics_ask_for_all) {
  TestWorld world;
  Member simple{world};
  simple.commit("b", 1, 11);
  simple.commit("a", 2, 22);
  simple.commit("a", 0, 20);
  OffsetFetchGroup request;
  request.group.group_id = "g";
  request.group.topics.reset();
  const auto fetched = world.ask<FetchedGroup>(request, 8);
  ASSERT_EQ(fetched.topics.size(), 2u);
  EXPECT_EQ(fetched.topics[0].name, "a");
  ASSERT_EQ(fetched.topics[0].partitions.size(), 2u);
  EXPECT_EQ(fetched.topics[0].partitions[0].committed_offset, 20);
  EXPECT_EQ(fetched.topics[1].partitions[0].committed_offset, 11);
  request.group.topics.emplace();  // an empty list asks for nothing
  EXPECT_TRUE(world.ask<FetchedGroup>(request, 8).topics.empty());
}

TEST(OffsetFetch, an_offset_of_a_topic_with_another_id_is_not_this_topics) {
  TestWorld world;
  Member simple{world};
  auto commit = simple.commit_request("t", 0, 1);
  commit.topics[0].topic_id = Uuid{1, 1};
  world.send(commit, 10);
  auto fetch = fetch_request("g", "t", {0});
  fetch.group.topics->front().topic_id = Uuid{2, 2};
  EXPECT_EQ(world.ask<FetchedGroup>(fetch, 10).topics[0].partitions[0].committed_offset, -1);
  fetch.group.topics->front().topic_id = Uuid{1, 1};
  const auto fetched = world.ask<FetchedGroup>(fetch, 10);
  EXPECT_EQ(fetched.topics[0].partitions[0].committed_offset, 1);
  EXPECT_EQ(fetched.topics[0].topic_id, (Uuid{1, 1}));
}

TEST(OffsetFetch, has_one_shape_inside_for_all_versions) {
  protocol::OffsetFetchRequest old;
  old.group_id = "g";
  old.topics.emplace();
  auto& topic = old.topics->emplace_back();
  topic.name = "t";
  topic.partition_indexes = {0, 1};
  old.require_stable = true;
  const auto groups = offset_fetch_groups(old, 7);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].group.group_id, "g");
  EXPECT_EQ(groups[0].group.topics->front().partition_indexes, (std::vector<int32_t>{0, 1}));
  EXPECT_TRUE(groups[0].require_stable);
  old.topics.reset();
  EXPECT_FALSE(offset_fetch_groups(old, 2)[0].group.topics.has_value());

  protocol::OffsetFetchRequest many;
  many.groups.resize(3);
  EXPECT_EQ(offset_fetch_groups(many, 8).size(), 3u);

  FetchedGroup answer;
  answer.error_code = code(ErrorCode::not_coordinator);
  EXPECT_EQ(offset_fetch_response({answer}, 2).error_code, code(ErrorCode::not_coordinator));
  EXPECT_EQ(offset_fetch_response({answer, answer}, 8).groups.size(), 2u);
}

TEST(OffsetDelete, removes_offsets_of_topics_that_nobody_subscribes_to) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  a.commit("t", 0, 1);
  a.commit("old", 0, 2);
  OffsetDeleteRequest request;
  request.group_id = "g";
  for (const char* name : {"t", "old", "never"}) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.partitions.emplace_back().partition_index = 0;
  }
  const auto deleted = world.ask<OffsetDeleteResponse>(request, 0);
  EXPECT_EQ(deleted.error_code, 0);
  EXPECT_EQ(deleted.topics[0].partitions[0].error_code, code(ErrorCode::group_subscribed_to_topic));
  EXPECT_EQ(deleted.topics[1].partitions[0].error_code, 0);
  EXPECT_EQ(deleted.topics[2].partitions[0].error_code, 0);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(committed(world, "g", "t", 0), 1);
    EXPECT_EQ(committed(world, "g", "old", 0), -1);
    world.restart();
  }
}

TEST(OffsetDelete, refuses_what_kafka_refuses) {
  TestWorld world;
  OffsetDeleteRequest request;
  EXPECT_EQ(world.ask<OffsetDeleteResponse>(request, 0).error_code, code(ErrorCode::invalid_group_id));
  request.group_id = "nobody";
  EXPECT_EQ(world.ask<OffsetDeleteResponse>(request, 0).error_code, code(ErrorCode::group_id_not_found));
  Member worker{world};
  worker.protocol_type = "connect";
  settle(world, {&worker});
  request.group_id = "g";
  EXPECT_EQ(world.ask<OffsetDeleteResponse>(request, 0).error_code, code(ErrorCode::non_empty_group));
  worker.leave();
  EXPECT_EQ(world.ask<OffsetDeleteResponse>(request, 0).error_code, 0);
}

TEST(OffsetDelete, of_members_whose_subscription_is_not_readable_counts_every_topic_as_subscribed) {
  TestWorld world;
  Member odd{world};
  odd.protocols = {{"RoundRobinAssigner", to_bytes("\x01")}};
  settle(world, {&odd});
  odd.commit("t", 0, 1);
  OffsetDeleteRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace_back();
  topic.name = "other";
  topic.partitions.emplace_back().partition_index = 0;
  EXPECT_EQ(world.ask<OffsetDeleteResponse>(request, 0).topics[0].partitions[0].error_code,
            code(ErrorCode::group_subscribed_to_topic));
}

}  // namespace
}  // namespace moldau::groups
