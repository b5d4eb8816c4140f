#include "broker/directory_set.h"

#include <array>

#include "base/log.h"
#include "broker/gather.h"
#include "broker/partition.h"
#include "controller/local_node.h"
#include "raft/format.h"

namespace moldau::broker {

using runtime::task;
using storage::PartitionDirectoryKind;
using storage::PartitionOffset;
using Outcome = result<void, std::string>;

DirectorySet::~DirectorySet() = default;

LogDir* DirectorySet::place_new() const {
  LogDir* best = nullptr;
  for (const auto& directory : directories_) {
    if (directory->files->is_offline()) continue;
    if (best == nullptr || directory->partitions.load(std::memory_order_relaxed) < best->partitions.load(std::memory_order_relaxed))
      best = directory.get();
  }
  return best;
}

std::string DirectorySet::any_partition_found() const {
  for (const auto& directory : directories_)
    for (const storage::FoundPartition& found : directory->files->found())
      if (found.partition.kind == PartitionDirectoryKind::live) return directory->path() + "/" + found.name;
  return {};
}

int64_t DirectorySet::previous_broker_epoch() const {
  const std::optional<int64_t> first = directories_.front()->files->previous_broker_epoch();
  const auto same = [&](const auto& directory) { return directory->files->previous_broker_epoch() == first; };
  return std::ranges::all_of(directories_, same) ? first.value_or(-1) : -1;
}

task<storage::log_result<std::unique_ptr<storage::Log>>> DirectorySet::open_log(BrokerShard& shard, const std::string& topic,
                                                                                const Uuid& topic_id, int32_t partition,
                                                                                const storage::LogConfig& config) {
  const std::string name = storage::partition_directory_name(topic, partition);
  storage::LogOptions options;
  options.topic = topic;
  options.partition = partition;
  LogDir* home = nullptr;
  if (loading_.load(std::memory_order_acquire)) {
    for (const auto& directory : directories_) {
      const auto found = directory->claimed.find(name);
      if (found == directory->claimed.end()) continue;
      found->second.store(true, std::memory_order_relaxed);
      home = directory.get();
      home->files->fill(options);
      break;
    }
  }
  if (home == nullptr) {
    home = place_new();
    if (home == nullptr)
      co_return fail(storage::Error(protocol::ErrorCode::kafka_storage_error, "every log directory is offline"));
    options.had_clean_shutdown = true;  // there is nothing to recover
  }
  options.environment = &environment_;
  options.open_files = &shard.open_files;
  options.health = home->files->health();
  options.directory = home->path() + "/" + name;
  options.topic_id = topic_id;
  options.config = config;
  options.producers.producer_id_expiration_ms = config_.logs.producer_id_expiration_ms;
  options.producers.verify_transactions = config_.transactions.transaction_partition_verification_enable;
  home->partitions.fetch_add(1, std::memory_order_relaxed);
  storage::LoadReport report;
  auto log = co_await storage::Log::open(std::move(options), &report);
  if (!log) co_return log;
  if (report.bytes_cut > 0 || report.segments_cut > 0)
    log_warning("{}: cut a torn tail of {} bytes and {} whole segments behind it; everything up to offset {} is whole", name,
                report.bytes_cut, report.segments_cut, (*log)->log_end_offset());
  for (const std::string& damage : report.damage) log_error("{}: {}", name, damage);
  co_return log;
}

task<void> DirectorySet::delete_log(BrokerShard& shard, std::shared_ptr<storage::Log> log) {
  LogDir* home = nullptr;
  for (const auto& directory : directories_)
    if (directory->path() == log->log_dir()) home = directory.get();
  MOLDAU_ASSERT(home != nullptr);
  Deleted deleted{.due_ms = environment_.wall_clock_ms() + log->config().file_delete_delay_ms,
                  .directory = home,
                  .name = home->files->deletion_name(log->topic(), log->partition(), PartitionDirectoryKind::deleted)};
  const auto renamed = co_await log->rename_directory(deleted.name);
  if (!renamed) log_error("cannot set {}-{} aside: {}", log->topic(), log->partition(), renamed.error().message);
  home->partitions.fetch_sub(1, std::memory_order_relaxed);
  co_await log->abandon();
  if (!renamed) co_return;
  co_await runtime::call_on(shard.broker.first_shard().shard, [this, &deleted] {
    deleted_.push_back(deleted);
    return runtime::ready();
  });
}

task<void> DirectorySet::remove_deleted_partitions() {
  std::vector<Deleted> due;
  std::erase_if(deleted_, [&](Deleted& deleted) {
    if (deleted.due_ms > environment_.wall_clock_ms()) return false;
    due.push_back(std::move(deleted));
    return true;
  });
  for (const Deleted& deleted : due) {
    if (deleted.directory->files->is_offline()) continue;
    const auto removed = co_await deleted.directory->files->remove(deleted.name);
    if (!removed) log_warning("{}", removed.error().message);
  }
}

// What the metadata does not know is renamed to NAME.ID-stray and kept, as Kafka does; what was being deleted goes.
task<void> DirectorySet::finish_loading() {
  loading_.store(false, std::memory_order_release);
  for (const auto& directory : directories_) {
    for (const storage::FoundPartition& found : directory->files->found()) {
      const auto& [topic, partition, kind] = found.partition;
      if (kind == PartitionDirectoryKind::deleted)
        deleted_.push_back({.due_ms = environment_.wall_clock_ms(), .directory = directory.get(), .name = found.name});
      if (kind != PartitionDirectoryKind::live || directory->claimed.at(found.name).load(std::memory_order_relaxed)) continue;
      const std::string stray = directory->files->deletion_name(topic, partition, PartitionDirectoryKind::stray);
      const auto renamed = co_await environment_.files().rename(directory->path() + "/" + found.name, directory->path() + "/" + stray);
      if (renamed)
        log_warning("{}/{} belongs to no topic of this cluster: renamed to {}", directory->path(), found.name, stray);
      else
        log_error("{}", renamed.error().message());
    }
  }
  co_await remove_deleted_partitions();
}

namespace {

using Offsets = std::vector<PartitionOffset>;

struct Checkpointed {
  Offsets recovery_points;
  Offsets log_starts;
  Offsets high_watermarks;
};
using ByDirectory = std::unordered_map<std::string, Checkpointed>;

task<void> collect(BrokerShard& shard, ByDirectory& into) {
  for (const auto& [key, partition] : shard.partitions) {
    storage::Log& log = partition->log();
    Checkpointed& entries = into[log.log_dir()];
    entries.recovery_points.push_back({log.topic(), log.partition(), log.recovery_point()});
    entries.high_watermarks.push_back({log.topic(), log.partition(), log.high_watermark()});
    const auto segments = log.segments();
    if (!segments.empty() && log.log_start_offset() > segments.front().base_offset)
      entries.log_starts.push_back({log.topic(), log.partition(), log.log_start_offset()});
  }
  return runtime::ready();
}

task<ByDirectory> collect_all(Broker& broker) {
  std::vector<ByDirectory> of_shard(broker.shards.size());
  co_await gather_all(broker, [&](BrokerShard& shard) { return collect(shard, of_shard[static_cast<size_t>(shard.shard.index())]); });
  static constexpr std::array lists = {&Checkpointed::recovery_points, &Checkpointed::log_starts, &Checkpointed::high_watermarks};
  ByDirectory all;
  for (ByDirectory& part : of_shard)
    for (auto& [path, entries] : part)
      for (const auto list : lists)
        (all[path].*list).insert((all[path].*list).end(), std::make_move_iterator((entries.*list).begin()),
                                 std::make_move_iterator((entries.*list).end()));
  const auto by_name = [](const PartitionOffset& a, const PartitionOffset& b) {
    return std::tie(a.topic, a.partition) < std::tie(b.topic, b.partition);
  };
  for (auto& [path, entries] : all)
    for (const auto list : lists) std::ranges::sort(entries.*list, by_name);
  co_return all;
}

// Writes a checkpoint unless it stands on disk so already: an idle node leaves its disk alone.
template <class Write>
task<void> write_if_changed(storage::LogDirectory& directory, Offsets offsets, Offsets& written, Write write) {
  if (directory.is_offline() || offsets == written) co_return;
  const auto done = co_await (directory.*write)(offsets);
  if (done)
    written = std::move(offsets);
  else
    log_error("{}", done.error().message);
}

}  // namespace

task<void> DirectorySet::measure_room() {
  for (const auto& directory : directories_)
    if (!directory->files->is_offline()) co_await directory->files->measure_room();
}

task<void> DirectorySet::checkpoint_high_watermarks(Broker& broker) {
  ByDirectory all = co_await collect_all(broker);
  for (const auto& directory : directories_)
    co_await write_if_changed(*directory->files, std::move(all[directory->path()].high_watermarks),
                              directory->written_high_watermarks, &storage::LogDirectory::write_high_watermarks);
}

task<void> DirectorySet::checkpoint_recovery_points(Broker& broker) {
  ByDirectory all = co_await collect_all(broker);
  for (const auto& directory : directories_) {
    Checkpointed& entries = all[directory->path()];
    co_await write_if_changed(*directory->files, std::move(entries.recovery_points), directory->written_recovery_points,
                              &storage::LogDirectory::write_recovery_points);
    co_await write_if_changed(*directory->files, std::move(entries.log_starts), directory->written_log_starts,
                              &storage::LogDirectory::write_log_starts);
  }
}

task<void> DirectorySet::mark_clean_shutdown(int64_t broker_epoch) {
  for (const auto& directory : directories_) {
    if (directory->files->is_offline()) continue;
    const auto written = co_await directory->files->mark_clean_shutdown(broker_epoch);
    if (!written) log_error("{}: the next start will check the logs", written.error().message);
  }
}

// --- opening ---

static task<result<std::unique_ptr<LogDir>, std::string>> open_directory(runtime::Environment& environment, const std::string& path,
                                                                        std::string_view key) {
  auto opened = co_await storage::LogDirectory::open(environment, path);
  if (!opened) co_return fail(fmt::format("{}: {}", key, opened.error().message));
  auto directory = std::make_unique<LogDir>();
  directory->files = std::move(*opened);
  for (const storage::FoundPartition& found : directory->files->found()) directory->claimed[found.name] = false;
  co_return directory;
}

// Paths of directories are held without a slash at the end.
static std::string trimmed(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

task<Outcome> DirectorySet::open_all() {
  for (const std::string& path : config_.logs.log_dirs) {
    MOLDAU_CO_TRY(std::unique_ptr<LogDir> directory, co_await open_directory(environment_, path, "log.dirs"));
    directories_.push_back(std::move(directory));
  }
  const std::string metadata_path = trimmed(config_.logs.metadata_log_dir);
  for (const auto& directory : directories_)
    if (directory->path() == metadata_path) metadata_directory_ = directory.get();
  if (metadata_directory_ != nullptr) co_return Outcome{};
  MOLDAU_CO_TRY(metadata_only_, co_await open_directory(environment_, metadata_path, "metadata.log.dir"));
  metadata_directory_ = metadata_only_.get();
  co_return Outcome{};
}

std::vector<LogDir*> DirectorySet::all_directories() const {
  std::vector<LogDir*> all;
  for (const auto& directory : directories_) all.push_back(directory.get());
  if (metadata_only_) all.push_back(metadata_only_.get());
  return all;
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
  for (const LogDir* directory : all_directories()) {
    MOLDAU_CO_TRY(raft::DirectoryFound entry, co_await look_into(files, directory->path()));
    found.push_back(std::move(entry));
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
  for (LogDir* directory : all_directories()) directory->id = state.directory_ids[directory->path()];
  co_return Outcome{};
}

task<result<std::unique_ptr<DirectorySet>, std::string>> DirectorySet::open(runtime::Environment& environment,
                                                                            const metadata::NodeConfig& config) {
  std::unique_ptr<DirectorySet> set(new DirectorySet(environment, config));
  MOLDAU_CO_CHECK(co_await set->open_all());
  MOLDAU_CO_CHECK(co_await set->format());
  co_return set;
}

}  // namespace moldau::broker
