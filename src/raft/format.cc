#include "raft/format.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace moldau::raft {

namespace {

// As java.util.Properties stores a value: what would end or split it is escaped.
std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '=' || c == ':' || c == '#' || c == '!') text += '\\';
    text += c;
  }
  return text;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\f";
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string unescaped(std::string_view text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  return value;
}

std::optional<int32_t> parse_number(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What formatting itself writes, and what a file system may put there.
bool is_of_format(std::string_view entry) {
  return entry == bootstrap_file_name || entry == metadata_partition_directory || entry == "lost+found" ||
         entry.starts_with(meta_properties_file_name);
}

}  // namespace

std::string write_meta_properties(const MetaProperties& properties, std::string_view date) {
  std::string text = "#\n";
  if (!date.empty()) text += fmt::format("#{}\n", date);
  text += fmt::format("node.id={}\n", properties.node_id);
  if (properties.directory_id) text += fmt::format("directory.id={}\n", *properties.directory_id);
  text += fmt::format("version={}\n", properties.version);
  text += fmt::format("cluster.id={}\n", escaped(properties.cluster_id));
  return text;
}

result<MetaProperties, std::string> read_meta_properties(std::string_view text) {
  std::map<std::string, std::string, std::less<>> values;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_blanks(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    const size_t middle = line.find_first_of("=:");
    if (middle == std::string_view::npos) return fail(fmt::format("meta.properties has a line without '=': {}", line));
    values[std::string(without_blanks(line.substr(0, middle)))] = unescaped(without_blanks(line.substr(middle + 1)));
  }
  const auto value = [&](std::string_view name) -> const std::string* {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : &found->second;
  };
  MetaProperties properties;
  const std::string* version = value("version");
  if (version == nullptr) return fail(std::string("meta.properties has no version"));
  if (*version == "0")
    return fail(std::string("meta.properties has version 0, from the time of ZooKeeper: migrate to KRaft with Kafka 3.9 "
                            "first"));
  if (*version != "1")
    return fail(fmt::format("meta.properties has version {}, but this release reads version 1", *version));
  if (const std::string* id = value("cluster.id")) properties.cluster_id = *id;
  if (properties.cluster_id.empty()) return fail(std::string("meta.properties has no cluster.id"));
  const std::string* node = value("node.id");
  const auto node_id = node == nullptr ? std::nullopt : parse_number(*node);
  if (!node_id || *node_id < 0) return fail(std::string("meta.properties has no node.id"));
  properties.node_id = *node_id;
  if (const std::string* directory = value("directory.id")) {
    properties.directory_id = Uuid::parse(*directory);
    if (!properties.directory_id || properties.directory_id->is_reserved_directory())
      return fail(fmt::format("meta.properties has the directory.id {}, which is none", *directory));
  }
  return properties;
}

std::vector<FileToWrite> files_of_format(const FormatRequest& request) {
  std::vector<FileToWrite> files;

  Snapshot bootstrap;
  bootstrap.records = request.bootstrap_records;
  const Bytes bootstrap_file = write_snapshot(bootstrap, {}, request.now_ms);

  const bool has_metadata_directory = std::ranges::find(request.directories, request.metadata_directory) != request.directories.end();
  // The one voter is known from before the first record, in a snapshot of nothing (KIP-853).
  Snapshot voters;
  voters.last_contained_log_timestamp_ms = request.now_ms;
  voters.kraft_version = 1;
  voters.voters = std::vector{request.self};
  if (has_metadata_directory)
    files.push_back({request.metadata_directory,
                   fmt::format("{}/{}", metadata_partition_directory, snapshot_file_name({})),
                   write_snapshot(voters, {}, request.now_ms)});

  const auto add = [&](const std::string& directory) {
    files.push_back({directory, std::string(bootstrap_file_name), bootstrap_file});
    const MetaProperties properties{1, request.cluster_id, request.node_id, request.directory_ids.at(directory)};
    files.push_back({directory, std::string(meta_properties_file_name),
                     to_bytes(write_meta_properties(properties, request.date))});
  };
  for (const std::string& directory : request.directories)
    if (directory != request.metadata_directory) add(directory);
  if (has_metadata_directory) add(request.metadata_directory);
  return files;
}

result<DirectoriesState, std::string> recognise_directories(const std::vector<DirectoryFound>& found, int32_t node_id,
                                                            const std::optional<std::string>& cluster_id) {
  DirectoriesState state;
  std::string first_formatted;
  for (const DirectoryFound& one : found) {
    if (!one.meta_properties) {
      const auto other = std::ranges::find_if_not(one.entries, is_of_format);
      if (other != one.entries.end() || one.has_metadata_log)
        return fail(fmt::format("{} holds {} but no meta.properties: put that file back, or name an empty directory in "
                                "log.dirs",
                                one.directory, one.has_metadata_log ? "a metadata log" : *other));
      state.to_format.push_back(one.directory);
      continue;
    }
    auto properties = read_meta_properties(*one.meta_properties);
    if (!properties) return fail(fmt::format("{}: {}", one.directory, properties.error()));
    if (properties->node_id != node_id)
      return fail(fmt::format("{} belongs to node {}, but node.id is {}: name this node's own directory in log.dirs, or "
                              "set node.id={}",
                              one.directory, properties->node_id, node_id, properties->node_id));
    if (cluster_id && properties->cluster_id != *cluster_id)
      return fail(fmt::format("{} belongs to cluster {}, not to {}", one.directory, properties->cluster_id, *cluster_id));
    if (first_formatted.empty()) {
      first_formatted = one.directory;
      state.cluster_id = properties->cluster_id;
    } else if (properties->cluster_id != state.cluster_id) {
      return fail(fmt::format("{} belongs to cluster {}, but {} to {}: name directories of one cluster in log.dirs",
                              one.directory, properties->cluster_id, first_formatted, state.cluster_id));
    }
    if (properties->directory_id) {
      for (const auto& [directory, id] : state.directory_ids)
        if (id == *properties->directory_id)
          return fail(fmt::format("{} and {} have the same directory.id {}: one is a copy of the other; take it out of "
                                  "log.dirs",
                                  directory, one.directory, id));
      state.directory_ids[one.directory] = *properties->directory_id;
    }
  }
  if (first_formatted.empty()) {
    state.kind = DirectoriesState::Kind::unformatted;
    if (cluster_id) state.cluster_id = *cluster_id;
  } else {
    state.kind = state.to_format.empty() ? DirectoriesState::Kind::formatted : DirectoriesState::Kind::incomplete;
  }
  return state;
}

result<void, std::string> check_metadata_directory(const std::vector<DirectoryFound>& found, const DirectoriesState& state,
                                                   const std::string& metadata_directory) {
  if (std::ranges::find(state.to_format, metadata_directory) == state.to_format.end()) return {};
  for (const DirectoryFound& other : found) {
    if (other.has_metadata_log)
      return fail(fmt::format("metadata.log.dir: {} is empty, but {} holds the cluster's metadata: set metadata.log.dir={}",
                              metadata_directory, other.directory, other.directory));
    if (!std::ranges::all_of(other.entries, is_of_format))
      return fail(fmt::format("metadata.log.dir: {} is empty, but {} holds partitions whose topics only the cluster's metadata "
                              "knows: name the directory that holds {} in metadata.log.dir",
                              metadata_directory, other.directory, metadata_partition_directory));
  }
  return {};
}

}  // namespace moldau::raft
