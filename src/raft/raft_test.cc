#include <algorithm>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "raft/format.h"
#include "raft/metadata_batch.h"
#include "raft/quorum_of_one.h"
#include "raft/quorum_state.h"
#include "raft/snapshot_file.h"

namespace moldau::raft {
namespace {

std::string vector_file(const std::string& name) {
  std::ifstream in(std::string(MOLDAU_SOURCE_DIR) + "/tests/vectors/metadata/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr auto first_checkpoint = "00000000000000000000-0000000000.checkpoint";
constexpr auto first_segment = "00000000000000000000.log";

Uuid id(std::string_view text) { return Uuid::parse(text).value(); }

Snapshot snapshot_of(const std::string& name) {
  const std::string file = vector_file(name);
  auto snapshot = read_snapshot(as_bytes(file));
  EXPECT_TRUE(snapshot) << snapshot.error();
  return *snapshot;
}

// --- batches and snapshots ------------------------------------------------------------------------------------------

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

// --- formatting -----------------------------------------------------------------------------------------------------

TEST(Format, WritesWhatKafkasStandaloneFormatWrites) {
  const Snapshot bootstrap = snapshot_of("restarted/bootstrap.checkpoint");
  const Snapshot first = snapshot_of(std::string("restarted/") + first_checkpoint);
  FormatRequest request;
  request.cluster_id = "TW9sZGF1TW9sZGF1TW9sZA";
  request.directories = {"/d"};
  request.metadata_directory = "/d";
  request.directory_ids["/d"] = id("TW9sZGF1RGlyZWN0b3JAAA");
  request.self = {1, id("TW9sZGF1RGlyZWN0b3JAAA"), {{"CONTROLLER", "127.0.0.1", 31100}}};
  request.bootstrap_records = bootstrap.records;
  request.now_ms = first.last_contained_log_timestamp_ms;
  request.date = "Sun Nov 22 16:32:39 UTC 2026";
  const auto files = files_of_format(request);
  ASSERT_EQ(files.size(), 3U);
  for (const FileToWrite& file : files) {
    const size_t slash = file.path.rfind('/');
    const std::string name = slash == std::string::npos ? file.path : file.path.substr(slash + 1);
    const std::string kafkas = vector_file("restarted/" + name);
    if (name == "meta.properties") {
      EXPECT_EQ(as_text(file.content), kafkas);
      continue;
    }
    // All but the times of the batches.
    EXPECT_EQ(file.content.size(), kafkas.size()) << name;
    const auto ours = read_snapshot(file.content);
    const auto theirs = read_snapshot(as_bytes(kafkas));
    ASSERT_TRUE(ours && theirs) << name;
    EXPECT_EQ(ours->records, theirs->records);
    EXPECT_EQ(ours->voters, theirs->voters);
    EXPECT_EQ(ours->kraft_version, theirs->kraft_version);
    EXPECT_EQ(ours->last_contained_log_timestamp_ms, theirs->last_contained_log_timestamp_ms);
  }
  EXPECT_EQ(files.back().path, "meta.properties");
}

DirectoryFound formatted(std::string directory, int32_t node, std::string_view directory_id,
                         std::string cluster = "c") {
  DirectoryFound found;
  found.directory = std::move(directory);
  found.meta_properties = write_meta_properties({1, std::move(cluster), node, id(directory_id)}, "");
  found.entries = {"meta.properties", "topic-0"};
  return found;
}
DirectoryFound empty_directory(std::string directory) {
  DirectoryFound found;
  found.directory = std::move(directory);
  found.entries = {"lost+found"};
  return found;
}
constexpr auto one = "AAAAAAAAAAEAAAAAAAAAAQ";
constexpr auto two = "AAAAAAAAAAIAAAAAAAAAAg";

TEST(Directories, EmptyOnesAreToBeFormattedAndFormattedOnesKnown) {
  auto state = recognise_directories({empty_directory("/a"), empty_directory("/b")}, 1, std::nullopt);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->kind, DirectoriesState::Kind::unformatted);
  EXPECT_EQ(state->to_format, (std::vector<std::string>{"/a", "/b"}));

  state = recognise_directories({formatted("/a", 1, one), formatted("/b", 1, two)}, 1, std::nullopt);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->kind, DirectoriesState::Kind::formatted);
  EXPECT_EQ(state->cluster_id, "c");
  EXPECT_EQ(state->directory_ids.at("/b"), id(two));

  state = recognise_directories({formatted("/a", 1, one), empty_directory("/b")}, 1, std::nullopt);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->kind, DirectoriesState::Kind::incomplete);
  EXPECT_EQ(state->to_format, (std::vector<std::string>{"/b"}));
}

TEST(Directories, WhatCannotBeThisNodesIsRefusedWithAWayOut) {
  const auto error_of = [](const std::vector<DirectoryFound>& found, const std::optional<std::string>& cluster) {
    const auto state = recognise_directories(found, 1, cluster);
    return state ? std::string() : state.error();
  };
  EXPECT_NE(error_of({formatted("/a", 2, one)}, {}).find("set node.id=2"), std::string::npos);
  EXPECT_NE(error_of({formatted("/a", 1, one)}, "other").find("cluster c"), std::string::npos);
  EXPECT_NE(error_of({formatted("/a", 1, one), formatted("/b", 1, two, "d")}, {}).find("cluster d"), std::string::npos);
  EXPECT_NE(error_of({formatted("/a", 1, one), formatted("/b", 1, one)}, {}).find("copy"), std::string::npos);
  DirectoryFound with_data = empty_directory("/a");
  with_data.entries.push_back("topic-0");
  EXPECT_NE(error_of({with_data}, {}).find("topic-0"), std::string::npos);
  DirectoryFound with_log = empty_directory("/a");
  with_log.has_metadata_log = true;
  EXPECT_NE(error_of({with_log}, {}).find("metadata log"), std::string::npos);
}

TEST(Directories, ANewOneBesideFormattedOnesGetsNoVotersAndLeavesTheMetadataDirectoryAlone) {
  FormatRequest request;
  request.cluster_id = "c";
  request.directories = {"/b"};
  request.metadata_directory = "/a";
  request.directory_ids = {{"/a", id(one)}, {"/b", id(two)}};
  const auto files = files_of_format(request);
  ASSERT_EQ(files.size(), 2U);
  for (const FileToWrite& file : files) EXPECT_EQ(file.directory, "/b") << file.path;
}

TEST(Directories, AnEmptyMetadataDirectoryIsNotFormattedWhereOthersHoldSomething) {
  const auto problem = [](const DirectoryFound& other) {
    const std::vector<DirectoryFound> found = {empty_directory("/meta"), other};
    const auto state = recognise_directories(found, 1, std::nullopt);
    EXPECT_TRUE(state);
    const auto checked = check_metadata_directory(found, *state, "/meta");
    return checked ? std::string() : checked.error();
  };
  DirectoryFound other = formatted("/data", 1, one);
  EXPECT_NE(problem(other).find("/data holds partitions"), std::string::npos) << problem(other);
  other.has_metadata_log = true;
  EXPECT_NE(problem(other).find("metadata.log.dir=/data"), std::string::npos) << problem(other);
  other = formatted("/data", 1, one);
  other.entries = {"meta.properties", "bootstrap.checkpoint"};  // a formatting broke off before the metadata directory
  EXPECT_EQ(problem(other), "");
  EXPECT_EQ(problem(empty_directory("/data")), "");
}

TEST(Directories, AFormattingThatBrokeOffIsBegunAgain) {
  DirectoryFound half = empty_directory("/a");
  half.entries = {"bootstrap.checkpoint", "__cluster_metadata-0", "meta.properties.tmp"};
  const auto state = recognise_directories({half}, 1, std::nullopt);
  ASSERT_TRUE(state) << state.error();
  EXPECT_EQ(state->kind, DirectoriesState::Kind::unformatted);
}

// --- the quorum -----------------------------------------------------------------------------------------------------

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
