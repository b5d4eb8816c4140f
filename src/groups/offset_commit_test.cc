#include <limits>

#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

TEST(OffsetCommit, a_consumer_without_a_group_makes_a_simple_one) {
  TestWorld world;
  Member simple{world};
  simple.group = "simple";
  EXPECT_EQ(simple.commit("t", 3, 42), 0);
  EXPECT_EQ(committed(world, "simple", "t", 3), 42);
  EXPECT_EQ(committed(world, "simple", "t", 4), -1);
  world.restart();
  EXPECT_EQ(committed(world, "simple", "t", 3), 42);
  EXPECT_EQ(world.shard().stats().by_type[static_cast<int>(GroupType::classic)], 1u);
}

TEST(OffsetCommit, the_last_commit_counts) {
  TestWorld world;
  Member simple{world};
  for (int64_t offset : {5, 9, 7}) simple.commit("t", 0, offset);
  EXPECT_EQ(committed(world, "g", "t", 0), 7);
  world.restart();
  EXPECT_EQ(committed(world, "g", "t", 0), 7);
}

TEST(OffsetCommit, is_seen_by_plain_readers_only_when_it_is_committed) {
  TestWorld world;
  Member simple{world};
  simple.commit("t", 0, 1);
  world.hold();
  const auto token = world.send(simple.commit_request("t", 0, 2), 9);
  EXPECT_FALSE(world.answered(token));
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  // Who wants stable offsets waits for what is on its way.
  const auto stable = world.send(fetch_request("g", "t", {0}, true), 8);
  EXPECT_FALSE(world.answered(stable));
  world.commit();
  EXPECT_TRUE(world.answered(token));
  EXPECT_EQ(world.answer<FetchedGroup>(stable).topics[0].partitions[0].committed_offset, 2);
  EXPECT_EQ(committed(world, "g", "t", 0), 2);
}

TEST(OffsetCommit, one_that_cannot_be_stored_never_happened) {
  TestWorld world;
  Member simple{world};
  simple.commit("t", 0, 1);
  world.hold();
  const auto lost = world.send(simple.commit_request("t", 0, 2), 9);
  const auto kept = world.send(simple.commit_request("t", 0, 3), 9);
  world.fail(ErrorCode::not_enough_replicas);
  EXPECT_EQ(world.answer<OffsetCommitResponse>(lost).topics[0].partitions[0].error_code,
            code(ErrorCode::coordinator_not_available));
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  world.fail(ErrorCode::message_too_large);
  EXPECT_EQ(world.answer<OffsetCommitResponse>(kept).topics[0].partitions[0].error_code,
            code(ErrorCode::unknown_server_error));
  EXPECT_EQ(committed(world, "g", "t", 0, true), 1);
}

TEST(OffsetCommit, a_later_one_survives_the_failure_of_an_earlier) {
  TestWorld world;
  Member simple{world};
  world.hold();
  world.send(simple.commit_request("t", 0, 2), 9);
  world.send(simple.commit_request("t", 0, 3), 9);
  world.fail(ErrorCode::kafka_storage_error);
  world.commit();
  EXPECT_EQ(committed(world, "g", "t", 0), 3);
  EXPECT_EQ(world.shard().stats().offsets, 1u);
}

TEST(OffsetCommit, one_that_is_not_replicated_in_time_stays_in_effect) {
  TestWorld world;
  Member simple{world};
  world.hold();
  const auto token = world.send(simple.commit_request("t", 0, 2), 9);
  world.time_out();
  EXPECT_EQ(world.answer<OffsetCommitResponse>(token).topics[0].partitions[0].error_code,
            code(ErrorCode::coordinator_not_available));
  EXPECT_EQ(committed(world, "g", "t", 0), -1);
  world.commit();
  EXPECT_EQ(committed(world, "g", "t", 0), 2);
}

TEST(OffsetCommit, members_need_their_id_and_generation) {
  TestWorld world;
  Member a{world};
  settle(world, {&a});
  EXPECT_EQ(a.commit("t", 0, 1), 0);
  Member other = a;
  other.generation = 0;
  EXPECT_EQ(other.commit("t", 0, 2), code(ErrorCode::illegal_generation));
  other.generation = a.generation;
  other.id = "nobody";
  EXPECT_EQ(other.commit("t", 0, 2), code(ErrorCode::unknown_member_id));
  other.id = "";
  other.generation = -1;
  EXPECT_EQ(other.commit("t", 0, 2), code(ErrorCode::unknown_member_id));  // the group has members
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
}

TEST(OffsetCommit, of_an_unknown_generation_in_an_unknown_group_depends_on_the_version) {
  TestWorld world;
  Member a{world};
  a.generation = 5;
  a.id = "a";
  EXPECT_EQ(a.commit("t", 0, 1, 8), code(ErrorCode::illegal_generation));
  EXPECT_EQ(a.commit("t", 0, 1, 9), code(ErrorCode::group_id_not_found));
}

TEST(OffsetCommit, while_the_group_rebalances) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a});
  b.join();
  EXPECT_EQ(a.commit("t", 0, 1), 0);  // PreparingRebalance: what it has done still counts
  a.join();
  a.take_join();
  EXPECT_EQ(a.commit("t", 0, 2), code(ErrorCode::rebalance_in_progress));  // CompletingRebalance
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
}

TEST(OffsetCommit, metadata_is_limited_in_java_characters) {
  TestWorld world(GroupConfig{.offset_metadata_max_length = 4});
  Member simple{world};
  auto request = simple.commit_request("t", 0, 1);
  request.topics[0].partitions[0].committed_metadata = "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9";  // 8 bytes, 4 characters
  auto second = request.topics[0].partitions[0];
  second.partition_index = 1;
  second.committed_metadata = "12345";
  request.topics[0].partitions.push_back(second);
  const auto response = world.ask<OffsetCommitResponse>(request, 9);
  EXPECT_EQ(response.topics[0].partitions[0].error_code, 0);
  EXPECT_EQ(response.topics[0].partitions[1].error_code, code(ErrorCode::offset_metadata_too_large));
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  EXPECT_EQ(committed(world, "g", "t", 1), -1);
}

TEST(OffsetCommit, answers_with_name_and_id_of_the_topic) {
  TestWorld world;
  Member simple{world};
  auto request = simple.commit_request("t", 0, 1);
  request.topics[0].topic_id = Uuid{1, 2};
  const auto response = world.ask<OffsetCommitResponse>(request, 10);
  EXPECT_EQ(response.topics[0].name, "t");
  EXPECT_EQ(response.topics[0].topic_id, (Uuid{1, 2}));
}

TEST(OffsetCommit, keeps_leader_epoch_and_metadata) {
  TestWorld world;
  Member simple{world};
  auto request = simple.commit_request("t", 0, 1);
  request.topics[0].partitions[0].committed_leader_epoch = 7;
  request.topics[0].partitions[0].committed_metadata = "note";
  world.send(request, 9);
  world.restart();
  const auto fetched = world.ask<FetchedGroup>(fetch_request("g", "t", {0}), 8).topics[0].partitions[0];
  EXPECT_EQ(fetched.committed_leader_epoch, 7);
  EXPECT_EQ(fetched.metadata, "note");
}

TEST(OffsetCommit, an_absurd_retention_does_no_harm) {
  TestWorld world;
  Member simple{world};
  auto request = simple.commit_request("t", 0, 1);
  request.retention_time_ms = std::numeric_limits<int64_t>::max();  // as in Java, the sum wraps: long past
  EXPECT_EQ(world.ask<OffsetCommitResponse>(request, 2).topics[0].partitions[0].error_code, 0);
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  world.advance(600'000);
  EXPECT_EQ(committed(world, "g", "t", 0), -1);
}

TEST(OffsetCommit, fifty_groups_keep_offsets_of_their_own) {
  TestWorld world;
  std::vector<Member> members;
  for (int i = 0; i < 50; ++i) members.push_back(Member{.world = world, .group = "group-" + std::to_string(i)});
  for (Member& member : members) {
    member.session_timeout_ms = 600'000;
    settle(world, {&member});
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(members[static_cast<std::size_t>(i)].commit("t", i % 3, 1'000 + i), 0);
  world.restart();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(committed(world, "group-" + std::to_string(i), "t", i % 3), 1'000 + i);
    EXPECT_EQ(committed(world, "group-" + std::to_string(i), "t", (i + 1) % 3), -1);
  }
}

}  // namespace
}  // namespace moldau::groups
