#include <gtest/gtest.h>

#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

constexpr int64_t minute_ms = 60'000;
constexpr int64_t day_ms = 24 * 60 * minute_ms;

// Retention of one day, swept every ten minutes.
GroupConfig one_day() { return {.offsets_retention_ms = day_ms}; }

TEST(OffsetExpiry, of_a_simple_group_counts_from_each_commit) {
  TestWorld world(one_day());
  Member simple{world};
  simple.commit("t", 0, 1);
  world.advance(day_ms / 2);
  simple.commit("t", 1, 1);
  world.advance(day_ms / 2 + 10 * minute_ms);
  EXPECT_EQ(committed(world, "g", "t", 0), -1);
  EXPECT_EQ(committed(world, "g", "t", 1), 1);
  world.advance(day_ms / 2);
  EXPECT_EQ(world.shard().durable_state(), "");  // the group went with its last offset
  EXPECT_EQ(world.shard().stats().expired_offsets, 2u);
  world.restart();
  EXPECT_EQ(world.shard().durable_state(), "");
}

TEST(OffsetExpiry, of_an_empty_group_counts_from_when_it_became_empty) {
  TestWorld world(one_day());
  Member a{world};
  a.session_timeout_ms = 1'800'000;
  settle(world, {&a});
  a.commit("t", 0, 1);
  for (int i = 0; i < 3 * 48; ++i) {  // three days of heartbeats keep what it subscribes to
    world.advance(day_ms / 48 - 1'000);
    EXPECT_EQ(a.heartbeat(), 0);
  }
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  a.leave();
  world.advance(day_ms - minute_ms);
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  world.restart();
  world.advance(12 * minute_ms);
  EXPECT_EQ(committed(world, "g", "t", 0), -1);
}

TEST(OffsetExpiry, a_stable_group_loses_offsets_of_topics_that_nobody_subscribes_to) {
  TestWorld world(one_day());
  Member a{world};
  a.session_timeout_ms = 1'800'000;
  settle(world, {&a});
  a.commit("t", 0, 1);
  a.commit("old", 0, 2);
  for (int i = 0; i < 60; ++i) {
    world.advance(day_ms / 48 - 1'000);
    a.heartbeat();
  }
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  EXPECT_EQ(committed(world, "g", "old", 0), -1);
}

TEST(OffsetExpiry, members_of_another_protocol_keep_all) {
  TestWorld world(one_day());
  Member worker{world};
  worker.protocol_type = "connect";
  worker.session_timeout_ms = 1'800'000;
  settle(world, {&worker});
  worker.commit("t", 0, 1);
  for (int i = 0; i < 60; ++i) {
    world.advance(day_ms / 48 - 1'000);
    worker.heartbeat();
  }
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
}

TEST(OffsetExpiry, a_time_that_the_client_set_wins) {
  TestWorld world(one_day());
  Member simple{world};
  auto request = simple.commit_request("t", 0, 1);
  request.retention_time_ms = 30 * minute_ms;
  world.send(request, 4);
  world.restart();  // it is in the record
  world.advance(29 * minute_ms);
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  world.advance(20 * minute_ms);
  EXPECT_EQ(committed(world, "g", "t", 0), -1);
}

TEST(OffsetExpiry, an_empty_group_without_offsets_goes_with_the_next_sweep) {
  TestWorld world(one_day());
  Member a{world};
  settle(world, {&a});
  a.leave();
  world.advance(10 * minute_ms);
  EXPECT_EQ(world.shard().durable_state(), "");
}

TEST(OffsetExpiry, a_group_of_five_thousand_offsets_goes_in_batches_of_a_thousand) {
  TestWorld world(one_day());
  Member simple{world};
  auto request = simple.commit_request("t", 0, 1);
  auto& partitions = request.topics[0].partitions;
  for (int32_t i = 1; i < 5'000; ++i) {
    partitions.push_back(partitions[0]);
    partitions.back().partition_index = i;
  }
  world.send(request, 9);
  world.hold();
  world.advance(day_ms + 10 * minute_ms);
  EXPECT_GE(world.held(), 6u);
  world.release();
  EXPECT_EQ(world.shard().durable_state(), "");
}

TEST(TopicDeletion, removes_its_offsets_from_every_group) {
  TestWorld world;
  Member a{world}, b{world};
  b.group = "h";
  a.commit("t", 0, 1);
  a.commit("u", 0, 2);
  auto newer = b.commit_request("t", 0, 3);
  newer.topics[0].topic_id = Uuid{2, 2};  // of the topic made anew under the same name
  world.send(newer, 10);
  const std::vector<DeletedTopic> deleted = {{"t", {1, 1}}};
  world.take(world.shard().on_topics_deleted(deleted, world.now_ms));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(committed(world, "g", "t", 0), -1);
    EXPECT_EQ(committed(world, "g", "u", 0), 2);
    EXPECT_EQ(committed(world, "h", "t", 0), 3);
    world.restart();
  }
}

}  // namespace
}  // namespace moldau::groups
