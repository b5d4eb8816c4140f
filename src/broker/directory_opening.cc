// Opening a node's directories: which can be used, whether they are this node's, and formatting those that are new.
#include <cerrno>

#include "base/log.h"
#include "broker/directory_set.h"
#include "controller/local_node.h"
#include "raft/format.h"

namespace moldau::broker {

using runtime::task;
using Outcome = result<void, std::string>;

// Paths of directories are held without a slash at the end.
static std::string trimmed(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// A disk that cannot be read or written costs its own partitions; another process in a directory is a mistake.
task<storage::log_result<std::unique_ptr<LogDir>>> DirectorySet::open_one(const std::string& path, bool may_be_offline) {
  auto directory = std::make_unique<LogDir>();
  auto opened = co_await storage::LogDirectory::open(environment_, path);
  if (!opened && (!may_be_offline || opened.error().io_error_number == 0)) co_return fail(std::move(opened.error()));
  directory->files = opened ? std::move(*opened) : storage::LogDirectory::offline(environment_, trimmed(path), opened.error().message);
  for (const storage::FoundPartition& found : directory->files->found()) {
    directory->found[found.name] = LogDir::Found::unclaimed;
    const auto& [topic, partition, kind] = found.partition;
    if (kind == storage::PartitionDirectoryKind::future)
      directory->found_futures[storage::partition_directory_name(topic, partition)] = found.name;
    if (kind == storage::PartitionDirectoryKind::future || kind == storage::PartitionDirectoryKind::live) ++directory->partitions;
  }
  co_return directory;
}

namespace {

// Two spellings of one directory would be two directories to everything that follows.
task<Outcome> refuse_repeats(runtime::FileSystem& files, const std::vector<std::string>& paths, const std::string& metadata_path) {
  std::map<std::string, std::string> spelled;  // by what it is
  for (const std::string& given : paths) {
    const std::string path = trimmed(given);
    const auto identity = co_await files.identity(path);
    if (!identity) continue;  // opening it will tell
    const auto [first, is_new] = spelled.emplace(*identity, path);
    if (!is_new && first->second == path) co_return fail(fmt::format("log.dirs names {} twice: name every directory once", path));
    if (!is_new)
      co_return fail(fmt::format("log.dirs names one directory twice, as {} and as {}: name every directory once", first->second, path));
  }
  const auto identity = co_await files.identity(metadata_path);
  if (!identity) co_return Outcome{};
  const auto same = spelled.find(*identity);
  if (same != spelled.end() && same->second != metadata_path)
    co_return fail(fmt::format("metadata.log.dir: {} is the directory that log.dirs names as {}: set metadata.log.dir={}", metadata_path,
                               same->second, same->second));
  co_return Outcome{};
}

std::string_view remedy(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return ": make room on that disk";
    case EROFS: return ": mount that disk so that it can be written, or take the directory out";
    case EACCES:
    case EPERM: return ": let this user write there";
    case ENOTDIR:
    case EEXIST: return ": name a directory, not a file";
    case EIO: return ": mend that disk, or take the directory out";
    default: return "";
  }
}

std::unexpected<std::string> refused(std::string_view key, const storage::Error& error) {
  return fail(fmt::format("{}: {}{}", key, error.message, remedy(error.io_error_number)));
}

}  // namespace

task<Outcome> DirectorySet::open_all() {
  const std::vector<std::string>& paths = config_.logs.log_dirs;
  const std::string metadata_path = trimmed(config_.logs.metadata_log_dir);
  MOLDAU_CO_CHECK(co_await refuse_repeats(environment_.files(), paths, metadata_path));
  MOLDAU_CO_CHECK(co_await look_first());
  directories_.resize(paths.size());
  // Those that are there come first, the metadata's before the others: where it cannot be had, or another process has one of them,
  // none is made.
  if (co_await environment_.files().status(metadata_path)) MOLDAU_CO_CHECK(co_await open_metadata_directory());
  for (const bool are_there : {true, false}) {
    for (size_t i = 0; i < paths.size(); ++i) {
      const std::string path = trimmed(paths[i]);
      if (directories_[i] || (co_await environment_.files().status(path)).has_value() != are_there) continue;
      auto opened = co_await open_one(path, path != metadata_path && paths.size() > 1);
      if (!opened) co_return refused("log.dirs", opened.error());
      directories_[i] = std::move(*opened);
    }
  }
  if (all_offline()) co_return fail(fmt::format("log.dirs: none of them can be used, the last one is {}", directories_.back()->path()));
  if (metadata_directory_ == nullptr) metadata_directory_ = find(metadata_path);
  if (metadata_directory_ == nullptr) MOLDAU_CO_CHECK(co_await open_metadata_directory());
  co_return Outcome{};
}

// In its place in log.dirs, or apart.
task<Outcome> DirectorySet::open_metadata_directory() {
  const std::string path = trimmed(config_.logs.metadata_log_dir);
  const std::vector<std::string>& paths = config_.logs.log_dirs;
  const auto place = std::ranges::find(paths, path, trimmed);
  auto opened = co_await open_one(path, false);
  if (!opened) co_return refused(place == paths.end() ? "metadata.log.dir" : "log.dirs", opened.error());
  metadata_directory_ = opened->get();
  (place == paths.end() ? metadata_only_ : directories_[static_cast<size_t>(place - paths.begin())]) = std::move(*opened);
  co_return Outcome{};
}

std::vector<LogDir*> DirectorySet::online_directories() const {
  std::vector<LogDir*> online;
  for (const auto& directory : directories_)
    if (!directory->is_offline()) online.push_back(directory.get());
  if (metadata_only_) online.push_back(metadata_only_.get());
  return online;
}

namespace {

task<result<raft::DirectoryFound, std::string>> look_into(runtime::FileSystem& files, const std::string& path) {
  raft::DirectoryFound found;
  found.directory = path;
  const auto meta_properties = co_await runtime::read_file(files, path + "/" + std::string(raft::meta_properties_file_name));
  if (meta_properties)
    found.meta_properties = std::string(as_text(*meta_properties));
  else if (meta_properties.error().error_number != ENOENT)
    co_return fail(meta_properties.error().message());
  const auto entries = co_await files.list(path);
  if (!entries && entries.error().error_number == ENOENT) co_return found;
  if (!entries) co_return fail(entries.error().message());
  for (const runtime::DirectoryEntry& entry : *entries)
    if (entry.name != ".lock") found.entries.push_back(entry.name);
  const auto metadata_log = co_await files.list(path + "/" + std::string(raft::metadata_partition_directory));
  if (metadata_log)
    found.has_metadata_log = std::ranges::any_of(*metadata_log, [](const auto& file) { return file.name.ends_with(".log"); });
  co_return found;
}

raft::FormatRequest format_request(runtime::Environment& environment, const metadata::NodeConfig& config,
                                   const raft::DirectoriesState& state) {
  raft::FormatRequest request;
  request.cluster_id = state.cluster_id.empty() ? runtime::random_uuid(environment).to_string() : state.cluster_id;
  request.node_id = config.node_id.value();
  request.directories = state.to_format;
  request.metadata_directory = trimmed(config.logs.metadata_log_dir);
  request.directory_ids = state.directory_ids;
  for (const std::string& path : request.directories) request.directory_ids[path] = runtime::random_uuid(environment);
  request.self.id = request.node_id;
  request.self.directory_id = request.directory_ids[request.metadata_directory];  // none if it is not to be formatted
  for (const auto& listener : config.network.controller_listeners)
    request.self.endpoints.push_back({listener.name, listener.host.empty() ? "localhost" : listener.host, listener.port});
  for (const metadata::MetadataRecord& record : controller::bootstrap_records())
    request.bootstrap_records.push_back(metadata::encode_record(record));
  request.now_ms = environment.wall_clock_ms();
  return request;
}

task<Outcome> write_format(runtime::FileSystem& files, const raft::FormatRequest& request) {
  for (raft::FileToWrite& file : raft::files_of_format(request)) {
    const std::string path = file.directory + "/" + file.path;
    if (const auto made = co_await runtime::make_directories(files, path.substr(0, path.rfind('/'))); !made) co_return refused("log.dirs", storage::Error(made.error()));
    if (const auto written = co_await runtime::write_file_atomically(files, path, std::move(file.content)); !written)
      co_return refused("log.dirs", storage::Error(written.error()));
  }
  for (const std::string& path : request.directories) log_info("formatted {} for cluster {}", path, request.cluster_id);
  co_return Outcome{};
}

}  // namespace

// What would stop the start stops it before a directory is made or locked.
task<Outcome> DirectorySet::look_first() {
  runtime::FileSystem& files = environment_.files();
  const std::string metadata_path = trimmed(config_.logs.metadata_log_dir);
  std::vector<std::string> paths;
  for (const std::string& given : config_.logs.log_dirs) paths.push_back(trimmed(given));
  if (std::ranges::find(paths, metadata_path) == paths.end()) paths.push_back(metadata_path);
  std::vector<raft::DirectoryFound> found;
  for (const std::string& path : paths) {
    if (auto entry = co_await look_into(files, path)) found.push_back(std::move(*entry));
  }
  MOLDAU_CO_TRY(const raft::DirectoriesState state, raft::recognise_directories(found, config_.node_id.value(), std::nullopt));
  co_return raft::check_metadata_directory(found, state, metadata_path);
}

task<Outcome> DirectorySet::format() {
  runtime::FileSystem& files = environment_.files();
  std::vector<raft::DirectoryFound> found;
  for (LogDir* directory : online_directories()) {
    auto entry = co_await look_into(files, directory->path());
    if (!entry && (directory == metadata_directory_ || directories_.size() == 1)) co_return fail(std::move(entry.error()));
    if (entry)
      found.push_back(std::move(*entry));
    else
      directory->files->health()->set_offline(entry.error());
  }
  MOLDAU_CO_TRY(raft::DirectoriesState state, raft::recognise_directories(found, config_.node_id.value(), std::nullopt));
  MOLDAU_CO_CHECK(raft::check_metadata_directory(found, state, metadata_directory_->path()));
  if (state.kind != raft::DirectoriesState::Kind::formatted) {
    const raft::FormatRequest request = format_request(environment_, config_, state);
    MOLDAU_CO_CHECK(co_await write_format(files, request));
    state.cluster_id = request.cluster_id;
    state.directory_ids = request.directory_ids;
  }
  cluster_id_ = state.cluster_id;
  for (LogDir* directory : online_directories()) directory->id = state.directory_ids[directory->path()];
  co_return Outcome{};
}

task<result<std::unique_ptr<DirectorySet>, std::string>> DirectorySet::open(runtime::Environment& environment,
                                                                            const metadata::NodeConfig& config) {
  std::unique_ptr<DirectorySet> set(new DirectorySet(environment, config));
  MOLDAU_CO_CHECK(co_await set->open_all());
  MOLDAU_CO_CHECK(co_await set->format());
  for (LogDir* directory : set->online_directories()) {
    const auto done = co_await directory->files->forget_older_boot();
    if (!done) log_warning("{}", done.error().message);
  }
  if (set->all_offline()) co_return fail(fmt::format("log.dirs: none of them can be used, the last one is {}", set->directories_.back()->path()));
  co_return set;
}

}  // namespace moldau::broker
