// Formatting data directories and recognising formatted ones, as values: what files to write, and what the files that
// were found mean. The owner reads and writes them.
//
// The same files as `kafka-storage format --standalone` writes: meta.properties in every directory, bootstrap.checkpoint
// in every directory, and in the metadata directory a 0-0 checkpoint with the one voter. What --static-voter clusters
// have (controller.quorum.voters, no 0-0 checkpoint, kraft.version 0) is recognised too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "raft/snapshot_file.h"
#include "raft/voters.h"

namespace moldau::raft {

inline constexpr std::string_view meta_properties_file_name = "meta.properties";
inline constexpr std::string_view bootstrap_file_name = "bootstrap.checkpoint";
inline constexpr std::string_view metadata_partition_directory = "__cluster_metadata-0";

struct MetaProperties {
  int32_t version = 1;
  std::string cluster_id;
  int32_t node_id = -1;
  std::optional<Uuid> directory_id;  // null in directories from before KIP-858
  friend bool operator==(const MetaProperties&, const MetaProperties&) = default;
};
// `date` stands in the comment line that Java writes, "Sun Nov 22 14:26:15 UTC 2026"; empty leaves it out.
[[nodiscard]] std::string write_meta_properties(const MetaProperties& properties, std::string_view date);
[[nodiscard]] result<MetaProperties, std::string> read_meta_properties(std::string_view text);

// A file to be written below a data directory; parents are created, the content synced, in this order.
struct FileToWrite {
  std::string directory;  // one of the data directories, as given
  std::string path;       // below it
  Bytes content;
};

struct FormatRequest {
  std::string cluster_id;
  int32_t node_id = 1;
  std::vector<std::string> directories;       // those to be formatted: all of a node's, or those that are new
  std::string metadata_directory;             // not among them if it is formatted already
  std::map<std::string, Uuid> directory_ids;  // for each directory
  Voter self;                                 // with the endpoints of the controller's listeners
  std::vector<Bytes> bootstrap_records;       // FeatureLevelRecords first
  int64_t now_ms = 0;
  std::string date;                           // for meta.properties
};
// meta.properties of the metadata directory comes last, so that a directory whose formatting broke off is unformatted.
[[nodiscard]] std::vector<FileToWrite> files_of_format(const FormatRequest& request);

// What was found in one data directory.
struct DirectoryFound {
  std::string directory;
  std::optional<std::string> meta_properties;  // the file's text, if there is one
  std::vector<std::string> entries;            // names in the directory
  bool has_metadata_log = false;               // a .log file in its __cluster_metadata-0
};

struct DirectoriesState {
  enum class Kind : uint8_t {
    unformatted,  // none has meta.properties: format them all
    formatted,    // all have, and agree
    incomplete,   // some have: those in `to_format` get meta.properties and bootstrap.checkpoint only
  };
  Kind kind = Kind::unformatted;
  std::string cluster_id;
  std::map<std::string, Uuid> directory_ids;  // of formatted ones
  std::vector<std::string> to_format;
};
// The error is a sentence that says what to do: another node's directory, two clusters' directories, one directory id
// twice, a directory with data and no meta.properties. `cluster_id` is the configured one, if any.
[[nodiscard]] result<DirectoriesState, std::string> recognise_directories(const std::vector<DirectoryFound>& found,
                                                                          int32_t node_id,
                                                                          const std::optional<std::string>& cluster_id);

// A metadata directory without meta.properties is formatted only if no other directory holds anything yet: else the
// cluster's metadata is elsewhere or lost, and a new log would make every partition a stranger.
[[nodiscard]] result<void, std::string> check_metadata_directory(const std::vector<DirectoryFound>& found,
                                                                 const DirectoriesState& state,
                                                                 const std::string& metadata_directory);

}  // namespace moldau::raft
