#include <gtest/gtest.h>

#include "raft/format.h"
#include "raft/kafkas_metadata_for_test.h"
#include "raft/metadata_batch.h"
#include "raft/quorum_state.h"
#include "raft/snapshot_file.h"

namespace moldau::raft {
namespace {

TEST(MetadataBatch, EveryBatchThatKafkaWroteIsWrittenAgainByteForByte) {
  for (const std::string directory : {"clean", "killed", "restarted"}) {
    const std::string file = vector_file(directory + "/" + first_segment);
    const auto read = read_batches(as_bytes(file));
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->valid_bytes, file.size());
    Bytes again;
    for (const MetadataBatch& batch : read->batches) {
      const Bytes bytes = batch.is_control
                              ? write_control_batch(batch.base_offset, batch.epoch, batch.timestamp_ms, batch.control)
                              : write_data_batch(batch.base_offset, batch.epoch, batch.timestamp_ms, batch.data);
      again.insert(again.end(), bytes.begin(), bytes.end());
    }
    EXPECT_EQ(to_hex(again), to_hex(as_bytes(file))) << directory;
  }
}

TEST(MetadataBatch, ATornTailEndsTheReadingAndDamageIsAnError) {
  const std::string file = vector_file(std::string("clean/") + first_segment);
  const auto torn = read_batches(as_bytes(file).first(file.size() - 5));
  ASSERT_TRUE(torn);
  EXPECT_LT(torn->valid_bytes, file.size() - 5);
  for (const size_t at : {17UZ, 61UZ, 100UZ}) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto read = read_batches(as_bytes(damaged));
    ASSERT_FALSE(read) << at;
    EXPECT_NE(read.error().find("position 0"), std::string::npos) << read.error();
  }
}

TEST(SnapshotFile, NamesAreReadAndWritten) {
  EXPECT_EQ(snapshot_file_name({Offset(258), LeaderEpoch(1)}), "00000000000000000258-0000000001.checkpoint");
  EXPECT_EQ(parse_snapshot_file_name("00000000000000000258-0000000001.checkpoint"),
            (SnapshotId{Offset(258), LeaderEpoch(1)}));
  for (const auto* other : {"00000000000000000258-0000000001.checkpoint.part", "bootstrap.checkpoint",
                            "00000000000000000258-0000000001.checkpoint.deleted", "0000000000000000025x-0000000001.checkpoint",
                            "00000000000000000000.log", ""})
    EXPECT_FALSE(parse_snapshot_file_name(other)) << other;
}

TEST(SnapshotFile, KafkasSnapshotIsWrittenAgainByteForByteButForItsTimes) {
  const std::string name = "00000000000000000258-0000000001.checkpoint";
  const std::string file = vector_file("clean/" + name);
  const Snapshot snapshot = snapshot_of("clean/" + name);
  EXPECT_EQ(snapshot.kraft_version, 1);
  ASSERT_TRUE(snapshot.voters);
  EXPECT_EQ(snapshot.voters->front().endpoints, (std::vector<VoterEndpoint>{{"CONTROLLER", "127.0.0.1", 21011}}));
  EXPECT_EQ(snapshot.records.size(), 147U);
  const Bytes again = write_snapshot(snapshot, *parse_snapshot_file_name(name), 5);
  EXPECT_EQ(again.size(), file.size());
  const auto read = read_snapshot(again);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->records, snapshot.records);
  EXPECT_EQ(read->voters, snapshot.voters);
}

TEST(SnapshotFile, WithoutItsFooterItIsRefused) {
  const std::string file = vector_file("clean/00000000000000000258-0000000001.checkpoint");
  EXPECT_FALSE(read_snapshot(as_bytes(file).first(file.size() - 75)));
  EXPECT_FALSE(read_snapshot(as_bytes(file).first(file.size() - 1)));
  EXPECT_FALSE(read_snapshot({}));
}

TEST(SnapshotFile, ManyRecordsAreCutIntoBatchesThatKafkasBufferHolds) {
  Snapshot snapshot;
  snapshot.records.assign(3000, Bytes(1000));
  const Bytes bytes = write_snapshot(snapshot, {Offset(9), LeaderEpoch(2)}, 1);
  const auto batches = read_batches(bytes);
  ASSERT_TRUE(batches);
  EXPECT_GT(batches->batches.size(), 4U);
  for (const MetadataBatch& batch : batches->batches) EXPECT_LT(batch.size_bytes, 2U * 1024 * 1024);
  EXPECT_EQ(read_snapshot(bytes)->records.size(), 3000U);
}

// --- quorum-state and meta.properties -------------------------------------------------------------------------------

TEST(QuorumState, KafkasFileIsReadAndWrittenByteForByte) {
  const std::string file = vector_file("restarted/quorum-state");
  const auto state = read_quorum_state(file);
  ASSERT_TRUE(state) << state.error();
  EXPECT_EQ(state->leader_epoch, 4);
  EXPECT_EQ(write_quorum_state(*state), file);
}

TEST(QuorumState, VersionZeroHasStaticVoters) {
  const std::string file = R"({"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,)"
                           R"("currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0})";
  const auto state = read_quorum_state(file);
  ASSERT_TRUE(state) << state.error();
  EXPECT_EQ(state->current_voters, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(write_quorum_state(*state), file);
}

TEST(QuorumState, AnythingElseIsAnErrorAndNoCrash) {
  const std::string good = vector_file("clean/quorum-state");
  for (size_t cut = 0; cut < good.size(); ++cut) EXPECT_FALSE(read_quorum_state(good.substr(0, cut))) << cut;
  EXPECT_FALSE(read_quorum_state(std::string(10'000, '[')));
  EXPECT_FALSE(read_quorum_state(R"({"leaderId":1,"leaderEpoch":2,"votedId":-1,"data_version":2})"));
}

TEST(MetaProperties, KafkasFileIsReadAndWrittenByteForByte) {
  const std::string file = vector_file("clean/meta.properties");
  const auto properties = read_meta_properties(file);
  ASSERT_TRUE(properties) << properties.error();
  EXPECT_EQ(properties->cluster_id, "TW9sZGF1VmVjdG9yc0FBQQ");
  EXPECT_EQ(properties->node_id, 1);
  EXPECT_EQ(properties->directory_id, id("dAVqiGcSSbiKWLh_J-aRtw"));
  EXPECT_EQ(write_meta_properties(*properties, "Sun Nov 22 14:26:15 UTC 2026"), file);
}

TEST(MetaProperties, AVersionOfAnotherTimeIsRefused) {
  EXPECT_FALSE(read_meta_properties("version=0\nbroker.id=1\ncluster.id=x\n"));
  EXPECT_FALSE(read_meta_properties("version=2\nnode.id=1\ncluster.id=x\n"));
  EXPECT_FALSE(read_meta_properties("version=1\nnode.id=1\n"));
}

}  // namespace
}  // namespace moldau::raft
