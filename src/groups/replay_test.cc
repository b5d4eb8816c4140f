// Restarts: what the log holds is what the coordinator knows, whoever wrote it.

#include <gtest/gtest.h>

#include "groups/group_records.h"
#include "groups/test_clients.h"

namespace moldau::groups {
namespace {

TEST(Restart, a_stable_group_goes_on_where_it_was) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  a.commit("t", 0, 7);
  const std::string before = world.shard().durable_state();
  world.restart();
  EXPECT_EQ(world.shard().durable_state(), before);
  EXPECT_EQ(a.heartbeat(), 0);
  EXPECT_EQ(b.heartbeat(), 0);
  EXPECT_EQ(a.commit("t", 0, 8), 0);
  b.sync();
  EXPECT_EQ(as_text(b.take_sync().assignment), "parts of " + b.id);
}

TEST(Restart, gives_every_member_a_full_session) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a, &b});
  world.advance(9'999);
  world.restart();
  world.advance(9'999);
  EXPECT_EQ(a.heartbeat(), 0);
  world.advance(1);
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::unknown_member_id));
}

TEST(Restart, in_a_rebalance_brings_back_the_generation_before) {
  TestWorld world;
  Member a{world}, b{world};
  settle(world, {&a});
  b.join();
  a.join();
  a.take_join();
  b.take_join();
  world.restart();
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::illegal_generation));
  EXPECT_EQ(b.heartbeat(), code(ErrorCode::unknown_member_id));
  a.join();
  EXPECT_EQ(a.take_join().generation_id, 2);
}

TEST(Restart, a_group_larger_than_the_limit_rebalances) {
  TestWorld big;
  Member a{big}, b{big}, c{big};
  settle(big, {&a, &b, &c});
  TestWorld world(GroupConfig{.max_group_size = 2});
  world.log = big.log;
  world.restart();
  Member again{world};
  again.id = a.id;
  again.generation = a.generation;
  EXPECT_EQ(again.heartbeat(), code(ErrorCode::rebalance_in_progress));
}

// The log as Apache Kafka 4.3.1 writes it: key and value in hexadecimal.
void load(TestWorld& world, std::string_view key, std::string_view value, int64_t producer_id = -1) {
  LoggedRecord record{{from_hex(key), std::nullopt}, producer_id};
  if (value != "null") record.record.value = from_hex(value);
  world.log.push_back(std::move(record));
}

TEST(Replay, reads_offsets_of_every_version) {
  TestWorld world;
  // Group "g", topic "t", partitions 0 to 5; the value's version is its first two bytes.
  load(world, "00000001670001740000" "0000", "0000" "0000000000000001" "0001" "6d" "0000000000000009");
  load(world, "00010001670001740000" "0001", "0001" "0000000000000002" "0001" "6d" "0000000000000009" "000000000000000a");
  load(world, "00010001670001740000" "0002", "0002" "0000000000000003" "0001" "6d" "0000000000000009");
  load(world, "00010001670001740000" "0003", "0003" "0000000000000004" "00000007" "0001" "6d" "0000000000000009");
  load(world, "00010001670001740000" "0004",
       "0004" "0000000000000005" "00000007" "02" "6d" "0000000000000009" "01" "00" "10" "00000000000000010000000000000002");
  world.restart();
  EXPECT_EQ(world.shard().durable_state(),
            "group g classic Empty generation 0 type none protocol none leader none since -1\n"
            "offset committed g t 0 1 epoch -1 'm' at 9 until -1 topic AAAAAAAAAAAAAAAAAAAAAA\n"
            "offset committed g t 1 2 epoch -1 'm' at 9 until 10 topic AAAAAAAAAAAAAAAAAAAAAA\n"
            "offset committed g t 2 3 epoch -1 'm' at 9 until -1 topic AAAAAAAAAAAAAAAAAAAAAA\n"
            "offset committed g t 3 4 epoch 7 'm' at 9 until -1 topic AAAAAAAAAAAAAAAAAAAAAA\n"
            "offset committed g t 4 5 epoch 7 'm' at 9 until -1 topic AAAAAAAAAAEAAAAAAAAAAg\n");
}

TEST(Replay, writes_offsets_as_kafka_does) {
  const OffsetKey key{"g", "t", 4};
  CommittedOffset offset{.offset = 5, .leader_epoch = 7, .metadata = "m", .commit_timestamp_ms = 9, .topic_id = {1, 2}};
  EXPECT_EQ(to_hex(offset_record(key, offset).key), "0001000167000174" "00000004");
  EXPECT_EQ(to_hex(*offset_record(key, offset).value),
            "0004" "0000000000000005" "00000007" "026d" "0000000000000009" "010010" "00000000000000010000000000000002");
  offset.expire_timestamp_ms = 10;
  EXPECT_EQ(to_hex(*offset_record(key, offset).value), "0001" "0000000000000005" "00016d" "0000000000000009" "000000000000000a");
  EXPECT_FALSE(offset_tombstone(key).value.has_value());
}

TEST(Replay, skips_what_it_cannot_read_and_goes_on) {
  TestWorld world;
  CoordinatorShard shard({}, [] { return 0; });
  EXPECT_FALSE(shard.replay(from_hex("00"), std::nullopt));
  EXPECT_FALSE(shard.replay(from_hex("0001000567"), std::nullopt));
  EXPECT_FALSE(shard.replay(from_hex("000200016700"), from_hex("0009")));
  EXPECT_FALSE(shard.replay(from_hex("0002000167"), from_hex("0003ffff")));
  EXPECT_TRUE(shard.replay(from_hex("0063000167"), from_hex("0000")));  // a type to come
  EXPECT_EQ(shard.stats().unknown_records, 1u);
  EXPECT_EQ(shard.durable_state(), "");
}

TEST(Replay, offsets_of_a_transaction_count_from_its_marker_on) {
  CoordinatorShard shard({}, [] { return 0; });
  const auto put = [&](int32_t partition, int64_t offset, int64_t producer_id) {
    const auto record = offset_record({"g", "t", partition}, {.offset = offset, .commit_timestamp_ms = 1});
    shard.replay(record.key, *record.value, producer_id);
  };
  put(0, 1, -1);
  put(0, 10, 100);
  put(1, 20, 100);
  put(2, 30, 200);
  put(3, 40, 300);
  put(3, 41, -1);  // later than the pending one: it stays
  shard.replay_transaction_marker(100, true);
  shard.replay_transaction_marker(200, false);
  shard.replay_transaction_marker(999, true);
  (void)shard.finish_loading(0);
  const auto fetch = [&](int32_t partition, bool stable) {
    auto output = shard.step({.token = 1, .version = 8}, fetch_request("g", "t", {partition}, stable), 0);
    return std::get<FetchedGroup>(output.replies.at(0).response).topics[0].partitions[0];
  };
  EXPECT_EQ(fetch(0, true).committed_offset, 10);
  EXPECT_EQ(fetch(1, true).committed_offset, 20);
  EXPECT_EQ(fetch(2, true).committed_offset, -1);
  EXPECT_EQ(fetch(3, false).committed_offset, 41);
  EXPECT_EQ(fetch(3, true).error_code, code(ErrorCode::unstable_offset_commit));
  EXPECT_EQ(fetch(3, true).committed_offset, -1);
  shard.replay_transaction_marker(300, true);
  EXPECT_EQ(fetch(3, true).committed_offset, 41);
}

TEST(Replay, a_tombstone_drops_pending_offsets_too) {
  TestWorld world;
  const auto record = offset_record({"g", "t", 0}, {.offset = 1, .commit_timestamp_ms = 1});
  world.log.push_back({record, 100});
  world.restart();
  OffsetDeleteRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  topic.partitions.emplace_back().partition_index = 0;
  world.hold();
  const auto first = world.send(request, 0);
  world.fail(ErrorCode::kafka_storage_error);
  EXPECT_EQ(world.answer<OffsetDeleteResponse>(first).error_code, code(ErrorCode::not_coordinator));
  EXPECT_NE(world.shard().durable_state().find("pending(100)"), std::string::npos);
  const auto second = world.send(request, 0);
  world.commit();
  EXPECT_EQ(world.answer<OffsetDeleteResponse>(second).error_code, 0);
  EXPECT_EQ(world.shard().durable_state().find("pending(100)"), std::string::npos);
  world.shard().replay_transaction_marker(100, true);
  EXPECT_EQ(committed(world, "g", "t", 0), -1);
}

// A consumer group (KIP-848) of one member "m" at epoch 5, as Kafka writes it.
void load_consumer_group(TestWorld& world, bool with_member) {
  load(world, "0003000167", "0000" "00000005" "00");
  load(world, "0006000167", "0000" "00000005" "00");
  if (!with_member) return;
  load(world, "00050001670001" "6d", "0000" "00");
  load(world, "00080001670001" "6d", "0000" "00000005" "00000004" "00" "01" "01" "00");
}

TEST(ForeignGroup, is_listed_and_guarded_but_not_served) {
  TestWorld world;
  load_consumer_group(world, true);
  world.restart();
  const auto listed = world.ask<protocol::ListGroupsResponse>(protocol::ListGroupsRequest{}, 5).groups;
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].group_type, "consumer");
  EXPECT_EQ(listed[0].group_state, "Stable");
  EXPECT_EQ(listed[0].protocol_type, "consumer");
  protocol::DescribeGroupsRequest describe;
  describe.groups = {"g"};
  const auto described = world.ask<protocol::DescribeGroupsResponse>(describe, 6).groups[0];
  EXPECT_EQ(described.error_code, code(ErrorCode::group_id_not_found));
  EXPECT_EQ(described.error_message, "Group g is not a classic group.");

  Member a{world};
  a.join();
  EXPECT_EQ(a.take_join().error_code, code(ErrorCode::inconsistent_group_protocol));
  EXPECT_EQ(a.heartbeat(), code(ErrorCode::unknown_member_id));
  EXPECT_EQ(a.commit("t", 0, 1), code(ErrorCode::unknown_member_id));
  a.id = "m";
  a.generation = 5;
  EXPECT_EQ(a.commit("t", 0, 1, 8), code(ErrorCode::unsupported_version));
  EXPECT_EQ(a.commit("t", 0, 1, 9), 0);
  a.generation = 4;
  EXPECT_EQ(a.commit("t", 0, 2), code(ErrorCode::stale_member_epoch));
  EXPECT_EQ(committed(world, "g", "t", 0), 1);
  auto fetch = fetch_request("g", "t", {0});
  fetch.group.member_id = "m";
  fetch.group.member_epoch = 4;
  EXPECT_EQ(world.ask<FetchedGroup>(fetch, 9).error_code, code(ErrorCode::stale_member_epoch));
  protocol::DeleteGroupsRequest remove;
  remove.groups_names = {"g"};
  EXPECT_EQ(world.ask<protocol::DeleteGroupsResponse>(remove, 2).results[0].error_code,
            code(ErrorCode::non_empty_group));
  EXPECT_EQ(world.log.size(), 5u);  // its records and the one commit: nothing was taken away
}

TEST(ForeignGroup, an_empty_one_is_taken_over_by_classic_members) {
  TestWorld world;
  load_consumer_group(world, false);
  world.restart();
  Member a{world};
  settle(world, {&a});
  EXPECT_EQ(a.heartbeat(), 0);
  const std::string before = world.shard().durable_state();
  world.restart();
  EXPECT_EQ(world.shard().durable_state(), before);
}

TEST(ForeignGroup, an_empty_one_can_be_deleted_and_comes_back_if_that_fails) {
  TestWorld world;
  load_consumer_group(world, false);
  world.restart();
  const std::string before = world.shard().durable_state();
  protocol::DeleteGroupsRequest remove;
  remove.groups_names = {"g"};
  world.hold();
  world.send(remove, 2);
  world.fail(ErrorCode::kafka_storage_error);
  EXPECT_EQ(world.shard().durable_state(), before);
  world.release();
  world.send(remove, 2);
  EXPECT_EQ(world.shard().durable_state(), "");
  world.restart();
  EXPECT_EQ(world.shard().durable_state(), "");
}

TEST(ForeignGroup, takes_the_place_of_the_simple_group_that_its_offsets_made) {
  TestWorld world;
  load(world, "00010001670001740000" "0003", "0003" "0000000000000004" "00000007" "0001" "6d" "0000000000000009");
  load_consumer_group(world, true);
  world.restart();
  EXPECT_EQ(world.shard().stats().by_type[static_cast<int>(GroupType::consumer)], 1u);
  EXPECT_EQ(committed(world, "g", "t", 3), 4);
}

}  // namespace
}  // namespace moldau::groups
