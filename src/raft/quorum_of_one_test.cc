#include <algorithm>

#include <gtest/gtest.h>

#include "raft/kafkas_metadata_for_test.h"
#include "raft/metadata_batch.h"
#include "raft/quorum_of_one.h"

namespace moldau::raft {
namespace {

QuorumOptions options_for(std::string_view directory, uint16_t port) {
  QuorumOptions options;
  options.directory_id = id(directory);
  options.endpoints = {{"CONTROLLER", "127.0.0.1", port}};
  return options;
}

QuorumOfOne restarted(uint16_t port = 31100) {
  const Snapshot first = snapshot_of(std::string("restarted/") + first_checkpoint);
  const auto state = read_quorum_state(vector_file("restarted/quorum-state"));
  auto quorum = QuorumOfOne::open(options_for("TW9sZGF1RGlyZWN0b3JAAA", port), *state, &first, {});
  EXPECT_TRUE(quorum);
  const std::string file = vector_file(std::string("restarted/") + first_segment);
  const auto read = read_batches(as_bytes(file));
  for (const MetadataBatch& batch : read->batches) EXPECT_TRUE(quorum->apply(batch));
  return std::move(*quorum);
}

TEST(QuorumOfOne, TheFirstEpochOfAFreshDirectoryBeginsAsKafkasDoes) {
  const Snapshot first = snapshot_of(std::string("restarted/") + first_checkpoint);
  auto quorum = QuorumOfOne::open(options_for("TW9sZGF1RGlyZWN0b3JAAA", 31100), std::nullopt, &first, {});
  ASSERT_TRUE(quorum) << quorum.error();
  const std::string log = vector_file(std::string("restarted/") + first_segment);
  const auto kafkas = read_batches(as_bytes(log));
  const auto leadership = quorum->start(kafkas->batches[0].timestamp_ms);
  ASSERT_TRUE(leadership) << leadership.error();
  EXPECT_EQ(to_hex(leadership->batch), to_hex(as_bytes(log).first(kafkas->batches[0].size_bytes)));
  EXPECT_EQ(leadership->quorum_state,
            R"({"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})");
  EXPECT_EQ(quorum->log_end_offset(), Offset(3));
  EXPECT_EQ(quorum->high_watermark(), Offset(0));
  quorum->flushed(Offset(3));
  EXPECT_EQ(quorum->high_watermark(), Offset(3));
}

TEST(QuorumOfOne, ARestartTakesTheNextEpochAndNamesNoVotersAgain) {
  QuorumOfOne quorum = restarted();
  const Offset end = quorum.log_end_offset();
  EXPECT_EQ(quorum.epoch(), LeaderEpoch(4));
  const auto leadership = quorum.start(9);
  ASSERT_TRUE(leadership);
  const auto batch = read_batches(leadership->batch);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->batches[0].epoch, LeaderEpoch(5));
  EXPECT_EQ(batch->batches[0].base_offset, end);
  ASSERT_EQ(batch->batches[0].control.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<protocol::LeaderChangeMessage>(batch->batches[0].control[0]));

  const std::vector<Bytes> values{to_bytes("a"), to_bytes("b")};
  const auto appended = read_batches(quorum.append(values, 10));
  EXPECT_EQ(appended->batches[0].base_offset, end + 1);
  EXPECT_EQ(appended->batches[0].data, values);
  EXPECT_EQ(quorum.log_end_offset(), end + 3);
}

TEST(QuorumOfOne, ABatchThatTheDiskDidNotTakeIsFollowedByOneInItsPlace) {
  QuorumOfOne quorum = restarted();
  ASSERT_TRUE(quorum.start(9));
  quorum.flushed(quorum.log_end_offset());
  const Offset end = quorum.log_end_offset();
  (void)quorum.append(std::vector<Bytes>{to_bytes("a"), to_bytes("b")}, 10);
  quorum.forget_unflushed();
  const auto next = read_batches(quorum.append(std::vector<Bytes>{to_bytes("c")}, 11));
  EXPECT_EQ(next->batches[0].base_offset, end);
  EXPECT_EQ(quorum.log_end_offset(), end + 1);
  EXPECT_EQ(quorum.high_watermark(), end);
}

TEST(QuorumOfOne, AMovedListenerIsWrittenIntoTheVoters) {
  QuorumOfOne quorum = restarted(5555);
  const auto leadership = quorum.start(9);
  const auto batch = read_batches(leadership->batch);
  ASSERT_EQ(batch->batches[0].control.size(), 2U);
  const auto voters = voters_of(std::get<protocol::VotersRecord>(batch->batches[0].control[1]));
  EXPECT_EQ(voters.front().endpoints.front().port, 5555);
}

TEST(QuorumOfOne, TheLogAfterASnapshotContinuesIt) {
  const std::string name = "00000000000000000258-0000000001.checkpoint";
  const Snapshot snapshot = snapshot_of("clean/" + name);
  auto quorum = QuorumOfOne::open(options_for("dAVqiGcSSbiKWLh_J-aRtw", 21011),
                                  *read_quorum_state(vector_file("clean/quorum-state")), &snapshot,
                                  *parse_snapshot_file_name(name));
  ASSERT_TRUE(quorum);
  const std::string log = vector_file(std::string("clean/") + first_segment);
  const auto read = read_batches(as_bytes(log));
  for (const MetadataBatch& batch : read->batches) ASSERT_TRUE(quorum->apply(batch));
  EXPECT_EQ(quorum->log_end_offset(), Offset(327));
  const auto leadership = quorum->start(1);
  EXPECT_EQ(read_batches(leadership->batch)->batches[0].control.size(), 1U);
}

TEST(QuorumOfOne, AGapInTheLogIsAnError) {
  const Snapshot first = snapshot_of(std::string("clean/") + first_checkpoint);
  auto quorum = QuorumOfOne::open(options_for("dAVqiGcSSbiKWLh_J-aRtw", 21011), std::nullopt, &first, {});
  const std::string log = vector_file(std::string("clean/") + first_segment);
  const auto read = read_batches(as_bytes(log));
  ASSERT_TRUE(quorum->apply(read->batches[0]));
  const auto outcome = quorum->apply(read->batches[2]);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().find("offset 13"), std::string::npos) << outcome.error();
}

TEST(QuorumOfOne, OtherVotersAreRefused) {
  Snapshot three;
  three.kraft_version = 1;
  three.voters = {{{1, id(one), {}}, {2, id(two), {}}}};
  auto quorum = QuorumOfOne::open(options_for(one, 1), std::nullopt, &three, {});
  ASSERT_TRUE(quorum);
  EXPECT_NE(quorum->start(0).error().find("1, 2"), std::string::npos);

  three.voters = {{{2, id(one), {}}}};
  EXPECT_FALSE(QuorumOfOne::open(options_for(one, 1), std::nullopt, &three, {})->start(0));
  three.voters = {{{1, id(two), {}}}};
  EXPECT_FALSE(QuorumOfOne::open(options_for(one, 1), std::nullopt, &three, {})->start(0));

  QuorumOptions options = options_for(one, 1);
  options.static_voters = {1, 2, 3};
  EXPECT_FALSE(QuorumOfOne::open(options, std::nullopt, nullptr, {}));
  QuorumState state;
  state.data_version = 0;
  state.current_voters = {1, 2};
  EXPECT_FALSE(QuorumOfOne::open(options_for(one, 1), state, nullptr, {}));
}

TEST(QuorumOfOne, StaticVotersGiveVersionZeroFiles) {
  QuorumOptions options = options_for(one, 1);
  EXPECT_FALSE(QuorumOfOne::open(options, std::nullopt, nullptr, {})->start(0)) << "nobody says who votes";
  options.static_voters = {1};
  auto quorum = QuorumOfOne::open(options, std::nullopt, nullptr, {});
  const auto leadership = quorum->start(0);
  ASSERT_TRUE(leadership) << leadership.error();
  EXPECT_EQ(read_batches(leadership->batch)->batches[0].control.size(), 1U);
  const auto state = read_quorum_state(leadership->quorum_state);
  EXPECT_EQ(state->data_version, 0);
  EXPECT_EQ(state->current_voters, std::vector<int32_t>{1});
}

TEST(QuorumOfOne, SnapshotsComeBySizeAndByTimeAndCarryTheEpochOfTheirLastRecord) {
  QuorumOptions options = options_for("TW9sZGF1RGlyZWN0b3JAAA", 31100);
  options.max_bytes_between_snapshots = 4000;
  options.max_snapshot_interval_ms = 1000;
  const Snapshot first = snapshot_of(std::string("restarted/") + first_checkpoint);
  auto quorum = QuorumOfOne::open(options, std::nullopt, &first, {});
  ASSERT_TRUE(quorum->start(0));
  EXPECT_FALSE(quorum->wants_snapshot(5000)) << "nothing is committed";
  quorum->flushed(quorum->log_end_offset());
  EXPECT_FALSE(quorum->wants_snapshot(999));
  EXPECT_TRUE(quorum->wants_snapshot(1000));
  const std::vector<Bytes> big{Bytes(5000)};
  (void)quorum->append(big, 1);
  quorum->flushed(quorum->log_end_offset());
  EXPECT_TRUE(quorum->wants_snapshot(1));
  const SnapshotId snapshot = quorum->snapshot_id(Offset(4));
  EXPECT_EQ(snapshot, (SnapshotId{Offset(4), LeaderEpoch(1)}));
  const auto read = read_snapshot(quorum->snapshot_bytes(snapshot, big, 1, 2));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->records, big);
  EXPECT_EQ(read->voters, first.voters);
  quorum->snapshot_written(snapshot, 2);
  EXPECT_FALSE(quorum->wants_snapshot(5000)) << "nothing new since";
}

TEST(QuorumOfOne, DescribesItselfAsLeaderAndOnlyVoter) {
  QuorumOfOne quorum = restarted();
  ASSERT_TRUE(quorum.start(9));
  quorum.flushed(quorum.log_end_offset());
  protocol::DescribeQuorumRequest request;
  EXPECT_TRUE(quorum.describe(request, 1).topics.empty());
  request.topics.push_back({"__cluster_metadata", {{0, {}}}, {}});
  auto response = quorum.describe(request, 77);
  const auto& partition = response.topics.at(0).partitions.at(0);
  EXPECT_EQ(partition.leader_epoch, 5);
  EXPECT_EQ(partition.high_watermark, quorum.log_end_offset().value());
  EXPECT_EQ(partition.current_voters.at(0).last_fetch_timestamp, 77);
  EXPECT_EQ(response.nodes.at(0).listeners.at(0).port, 31100);
  request.topics[0].topic_name = "t";
  EXPECT_EQ(quorum.describe(request, 1).topics.at(0).partitions.at(0).error_code, 3);
}

TEST(Cleaning, KeepsTheNewestSnapshotAndCutsTheLogAtTheOldestThatStays) {
  const SnapshotFound first{{}, 200, 0};
  const SnapshotFound second{{Offset(100), LeaderEpoch(1)}, 1000, 1000};
  const SnapshotFound third{{Offset(200), LeaderEpoch(1)}, 1000, 2000};
  Cleaning cleaning = clean_metadata_log({third, first, second}, 5000, Offset(0), 2500, 1'000'000, 1000);
  EXPECT_EQ(cleaning.snapshots_to_delete, (std::vector<SnapshotId>{first.id, second.id}));
  EXPECT_EQ(cleaning.new_log_start, Offset(200));
  cleaning = clean_metadata_log({third, first, second}, 5000, Offset(0), 2500, 7100, -1);
  EXPECT_EQ(cleaning.snapshots_to_delete, std::vector<SnapshotId>{first.id});
  EXPECT_EQ(cleaning.new_log_start, Offset(100));
  cleaning = clean_metadata_log({third}, 5000, Offset(200), 1'000'000, 0, 0);
  EXPECT_TRUE(cleaning.snapshots_to_delete.empty());
  EXPECT_FALSE(cleaning.new_log_start);
}

}  // namespace
}  // namespace moldau::raft
