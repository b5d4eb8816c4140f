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
task<result<std::unique_ptr<LogDir>, std::string>> DirectorySet::open_one(const std::string& path, bool may_be_offline) {
  auto directory = std::make_unique<LogDir>();
  auto opened = co_await storage::LogDirectory::open(environment_, path);
  if (!opened && (!may_be_offline || opened.error().io_error_number == 0)) co_return fail(opened.error().message);
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

task<Outcome> DirectorySet::open_all() {
  const std::vector<std::string>& paths = config_.logs.log_dirs;
  const std::string metadata_path = trimmed(config_.logs.metadata_log_dir);
  for (size_t i = 0; i < paths.size(); ++i) {
    const std::string path = trimmed(paths[i]);
    for (size_t j = 0; j < i; ++j)
      if (trimmed(paths[j]) == path) co_return fail(fmt::format("log.dirs names {} twice: name every directory once", path));
    auto opened = co_await open_one(path, path != metadata_path && paths.size() > 1);
    if (!opened) co_return fail(fmt::format("log.dirs: {}", opened.error()));
    directories_.push_back(std::move(*opened));
  }
  if (all_offline()) co_return fail(fmt::format("log.dirs: none of them can be used, the last one is {}", directories_.back()->path()));
  metadata_directory_ = find(metadata_path);
  if (metadata_directory_ != nullptr) co_return Outcome{};
  auto opened = co_await open_one(metadata_path, false);
  if (!opened) co_return fail(fmt::format("metadata.log.dir: {}", opened.error()));
  metadata_only_ = std::move(*opened);
  metadata_directory_ = metadata_only_.get();
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
    if (const auto made = co_await runtime::make_directories(files, path.substr(0, path.rfind('/'))); !made)
      co_return fail(made.error().message());
    if (const auto written = co_await runtime::write_file_atomically(files, path, std::move(file.content)); !written)
      co_return fail(written.error().message());
  }
  for (const std::string& path : request.directories) log_info("formatted {} for cluster {}", path, request.cluster_id);
  co_return Outcome{};
}

}  // namespace

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
  if (set->all_offline()) co_return fail(fmt::format("log.dirs: none of them can be used, the last one is {}", set->directories_.back()->path()));
  co_return set;
}

}  // namespace moldau::broker
