#include <gtest/gtest.h>

#include "raft/format.h"
#include "raft/kafkas_metadata_for_test.h"

namespace moldau::raft {
namespace {

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

}  // namespace
}  // namespace moldau::raft
