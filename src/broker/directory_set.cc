#include "broker/directory_set.h"

#include <charconv>

#include "base/log.h"
#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/partition_directory.h"
#include "controller/local_node.h"
#include "raft/format.h"

namespace moldau::broker {

using runtime::task;
using storage::PartitionOffset;

static constexpr std::string_view lock_file_name = ".lock";
static constexpr std::string_view clean_shutdown_file_name = ".kafka_cleanshutdown";

DirectorySet::~DirectorySet() = default;

static std::string random_hex(runtime::Environment& environment) {
  return fmt::format("{:016x}{:016x}", environment.random(), environment.random());
}

LogDir* DirectorySet::place_new() const {
  LogDir* best = nullptr;
  for (const auto& directory : directories_) {
    if (directory->health->is_offline()) continue;
    if (best == nullptr || directory->partitions.load(std::memory_order_relaxed) < best->partitions.load(std::memory_order_relaxed))
      best = directory.get();
  }
  return best;
}

task<storage::log_result<std::unique_ptr<storage::Log>>> DirectorySet::open_log(BrokerShard& shard, const std::string& topic,
                                                                                const Uuid& topic_id, int32_t partition,
                                                                                const storage::LogConfig& config) {
  const std::string name = partition_directory(topic, partition);
  LogDir* home = nullptr;
  const LogDir::Found* found = nullptr;
  if (loading_.load(std::memory_order_acquire)) {
    for (const auto& directory : directories_) {
      const auto at = directory->found.find(name);
      if (at == directory->found.end()) continue;
      home = directory.get();
      found = &at->second;
      found->claimed.store(true, std::memory_order_relaxed);
      break;
    }
  }
  if (home == nullptr) home = place_new();
  if (home == nullptr)
    co_return fail(storage::Error(protocol::ErrorCode::kafka_storage_error, "every log directory is offline"));
  storage::LogOptions options;
  options.environment = &environment_;
  options.open_files = &shard.open_files;
  options.health = home->health;
  options.directory = home->path + "/" + name;
  options.topic = topic;
  options.partition = partition;
  options.topic_id = topic_id;
  options.config = config;
  options.producers.producer_id_expiration_ms = config_.logs.producer_id_expiration_ms;
  options.producers.verify_transactions = config_.transactions.transaction_partition_verification_enable;
  options.had_clean_shutdown = found == nullptr || home->had_clean_shutdown;
  if (found != nullptr) {
    options.recovery_point = found->recovery_point;
    options.log_start_offset = found->log_start_offset;
    options.high_watermark = found->high_watermark;
  }
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
  const std::string name = partition_directory(log->topic(), log->partition());
  const auto renamed = co_await log->rename_directory(
      set_aside_directory(log->topic(), log->partition(), random_hex(environment_), "delete"));
  if (!renamed) log_error("cannot set the directory of {} aside: {}", name, renamed.error().message);
  Deleted deleted{.due_ms = environment_.wall_clock_ms() + log->config().file_delete_delay_ms, .path = log->directory()};
  for (const auto& directory : directories_) {
    if (directory->path != log->log_dir()) continue;
    directory->partitions.fetch_sub(1, std::memory_order_relaxed);
    deleted.health = directory->health;
  }
  co_await log->abandon();
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
    if (deleted.health && deleted.health->is_offline()) continue;
    const auto removed = co_await runtime::remove_tree(environment_.files(), deleted.path);
    if (!removed && removed.error().error_number != ENOENT) log_warning("{}", removed.error().message());
  }
}

// Kafka renames a partition that the metadata does not know to NAME.HEX-stray and keeps it.
task<void> DirectorySet::finish_loading() {
  loading_.store(false, std::memory_order_release);
  for (const auto& directory : directories_) {
    for (const auto& [name, found] : directory->found) {
      if (found.claimed.load(std::memory_order_relaxed)) continue;
      const auto partition = parse_partition_directory(name);
      if (!partition) continue;
      const std::string stray = set_aside_directory(partition->topic, partition->partition, random_hex(environment_), "stray");
      const auto renamed = co_await environment_.files().rename(directory->path + "/" + name, directory->path + "/" + stray);
      if (renamed)
        log_warning("{}/{} belongs to no topic of this cluster: renamed to {}", directory->path, name, stray);
      else
        log_error("{}", renamed.error().message());
    }
    for (const std::string& name : directory->to_delete)
      deleted_.push_back({.due_ms = environment_.wall_clock_ms(), .path = directory->path + "/" + name, .health = directory->health});
    co_await remove_deleted_partitions();
  }
}

task<void> DirectorySet::write_checkpoint(LogDir& directory, std::string_view file, Bytes content, Bytes& written) {
  if (directory.health->is_offline() || content == written) co_return;
  const auto done = co_await runtime::write_file_atomically(environment_.files(), directory.path + "/" + std::string(file), content);
  if (!done) {
    log_error("{}", done.error().message());
    directory.health->note(storage::Error(done.error()));
    co_return;
  }
  written = std::move(content);
}

namespace {

struct Checkpointed {
  std::vector<PartitionOffset> recovery_points;
  std::vector<PartitionOffset> log_starts;
  std::vector<PartitionOffset> high_watermarks;
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
  ByDirectory all;
  for (ByDirectory& part : of_shard) {
    for (auto& [path, entries] : part) {
      Checkpointed& to = all[path];
      for (auto list : {&Checkpointed::recovery_points, &Checkpointed::log_starts, &Checkpointed::high_watermarks})
        (to.*list).insert((to.*list).end(), std::make_move_iterator((entries.*list).begin()), std::make_move_iterator((entries.*list).end()));
    }
  }
  const auto by_name = [](const PartitionOffset& a, const PartitionOffset& b) {
    return std::tie(a.topic, a.partition) < std::tie(b.topic, b.partition);
  };
  for (auto& [path, entries] : all)
    for (auto list : {&Checkpointed::recovery_points, &Checkpointed::log_starts, &Checkpointed::high_watermarks})
      std::ranges::sort(entries.*list, by_name);
  co_return all;
}

}  // namespace

task<void> DirectorySet::checkpoint_high_watermarks(Broker& broker) {
  ByDirectory all = co_await collect_all(broker);
  for (const auto& directory : directories_)
    co_await write_checkpoint(*directory, storage::high_watermark_file,
                              storage::encode_partition_offsets(all[directory->path].high_watermarks), directory->written_high_watermarks);
}

task<void> DirectorySet::checkpoint_recovery_points(Broker& broker) {
  ByDirectory all = co_await collect_all(broker);
  for (const auto& directory : directories_) {
    const Checkpointed& entries = all[directory->path];
    co_await write_checkpoint(*directory, storage::recovery_point_file, storage::encode_partition_offsets(entries.recovery_points),
                              directory->written_recovery_points);
    co_await write_checkpoint(*directory, storage::log_start_file, storage::encode_partition_offsets(entries.log_starts),
                              directory->written_log_starts);
  }
}

task<void> DirectorySet::mark_clean_shutdown(int64_t broker_epoch) {
  for (const auto& directory : directories_) {
    if (directory->health->is_offline()) continue;
    const std::string path = directory->path + "/" + std::string(clean_shutdown_file_name);
    const std::string content = fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}", broker_epoch);
    const auto written = co_await runtime::write_file_atomically(environment_.files(), path, to_bytes(content));
    if (!written) log_error("{}: the next start will check the logs", written.error().message());
  }
}

// --- opening ---

static task<std::optional<std::string>> read_text(runtime::FileSystem& files, std::string path) {
  const auto bytes = co_await runtime::read_file(files, std::move(path), 64 << 20);
  if (!bytes) co_return std::nullopt;
  co_return std::string(as_text(*bytes));
}

task<result<void, std::string>> DirectorySet::lock_all() {
  runtime::FileSystem& files = environment_.files();
  for (const std::string& path : config_.logs.log_dirs) {
    const auto made = co_await files.create_directories(path);
    if (!made) co_return fail(fmt::format("log.dirs: {}", made.error().message()));
    auto lock = co_await files.lock(path + "/" + std::string(lock_file_name));
    if (!lock && (lock.error().error_number == EWOULDBLOCK || lock.error().error_number == EACCES))
      co_return fail(fmt::format("log.dirs: {} is in use by another process, Moldau or Kafka; stop that one first", path));
    if (!lock) co_return fail(fmt::format("log.dirs: {}", lock.error().message()));
    auto directory = std::make_unique<LogDir>();
    directory->path = path;
    directory->health = std::make_shared<storage::DirectoryHealth>(path);
    directory->lock = std::move(*lock);
    directories_.push_back(std::move(directory));
  }
  co_return result<void, std::string>{};
}

task<result<void, std::string>> DirectorySet::format() {
  runtime::FileSystem& files = environment_.files();
  std::vector<raft::DirectoryFound> found;
  for (const auto& directory : directories_) {
    raft::DirectoryFound& entry = found.emplace_back();
    entry.directory = directory->path;
    entry.meta_properties = co_await read_text(files, directory->path + "/" + std::string(raft::meta_properties_file_name));
    const auto entries = co_await files.list(directory->path);
    if (!entries) co_return fail(entries.error().message());
    for (const runtime::DirectoryEntry& file : *entries)
      if (file.name != lock_file_name) entry.entries.push_back(file.name);
    const auto metadata_log = co_await files.list(directory->path + "/" + std::string(raft::metadata_partition_directory));
    if (metadata_log)
      entry.has_metadata_log = std::ranges::any_of(*metadata_log, [](const auto& file) { return file.name.ends_with(".log"); });
  }
  MOLDAU_CO_TRY(raft::DirectoriesState state, raft::recognise_directories(found, config_.node_id.value(), std::nullopt));
  const std::string& metadata_path = config_.logs.metadata_log_dir;
  if (state.kind != raft::DirectoriesState::Kind::formatted) {
    raft::FormatRequest request;
    request.cluster_id = state.cluster_id.empty() ? runtime::random_uuid(environment_).to_string() : state.cluster_id;
    request.node_id = config_.node_id.value();
    request.directories = state.to_format.empty() ? config_.logs.log_dirs : state.to_format;
    request.metadata_directory = metadata_path;
    for (const std::string& path : request.directories) state.directory_ids[path] = runtime::random_uuid(environment_);
    request.directory_ids = state.directory_ids;
    request.self.id = config_.node_id.value();
    request.self.directory_id = state.directory_ids[metadata_path];
    for (const auto& listener : config_.network.controller_listeners)
      request.self.endpoints.push_back({listener.name, listener.host.empty() ? "localhost" : listener.host, listener.port});
    for (const metadata::MetadataRecord& record : controller::bootstrap_records())
      request.bootstrap_records.push_back(metadata::encode_record(record));
    request.now_ms = environment_.wall_clock_ms();
    for (raft::FileToWrite& file : raft::files_of_format(request)) {
      const std::string path = file.directory + "/" + file.path;
      if (const auto done = co_await files.create_directories(path.substr(0, path.rfind('/'))); !done) co_return fail(done.error().message());
      if (const auto done = co_await runtime::write_file_atomically(files, path, std::move(file.content)); !done) co_return fail(done.error().message());
    }
    state.cluster_id = request.cluster_id;
    formatted_now_ = true;
    for (const std::string& path : request.directories) log_info("formatted {} for cluster {}", path, request.cluster_id);
  }
  cluster_id_ = state.cluster_id;
  for (const auto& directory : directories_) {
    directory->id = state.directory_ids[directory->path];
    if (directory->path == metadata_path) metadata_directory_ = directory.get();
  }
  if (metadata_directory_ == nullptr) co_return fail(fmt::format("metadata.log.dir: {} must be one of log.dirs", metadata_path));
  co_return result<void, std::string>{};
}

static task<std::vector<PartitionOffset>> read_offsets(runtime::FileSystem& files, std::string path) {
  const auto bytes = co_await runtime::read_file(files, path);
  if (!bytes) co_return std::vector<PartitionOffset>{};
  auto entries = storage::decode_partition_offsets(*bytes);
  if (entries) co_return std::move(*entries);
  log_warning("{} is ignored: {}", path, entries.error());
  co_return std::vector<PartitionOffset>{};
}

// {"version":0,"brokerEpoch":N}
static int64_t broker_epoch_of(std::string_view marker) {
  static constexpr std::string_view key = "\"brokerEpoch\":";
  const size_t at = marker.find(key);
  if (at == std::string_view::npos) return -1;
  int64_t epoch = -1;
  std::from_chars(marker.data() + at + key.size(), marker.data() + marker.size(), epoch);
  return epoch;
}

task<result<void, std::string>> DirectorySet::scan(LogDir& directory) {
  runtime::FileSystem& files = environment_.files();
  const auto entries = co_await files.list(directory.path);
  if (!entries) co_return fail(entries.error().message());
  for (const runtime::DirectoryEntry& entry : *entries) {
    if (!entry.is_directory || entry.name == raft::metadata_partition_directory) continue;
    if (entry.name.ends_with("-delete"))
      directory.to_delete.push_back(entry.name);
    else if (!entry.name.ends_with("-stray") && !entry.name.ends_with("-future") && parse_partition_directory(entry.name))
      directory.found[entry.name];
  }
  const auto note = [&](const std::vector<PartitionOffset>& offsets, Offset LogDir::Found::*field) {
    for (const PartitionOffset& entry : offsets) {
      const auto at = directory.found.find(partition_directory(entry.topic, entry.partition));
      if (at != directory.found.end()) at->second.*field = entry.offset;
    }
  };
  note(co_await read_offsets(files, directory.path + "/" + std::string(storage::recovery_point_file)), &LogDir::Found::recovery_point);
  note(co_await read_offsets(files, directory.path + "/" + std::string(storage::log_start_file)), &LogDir::Found::log_start_offset);
  note(co_await read_offsets(files, directory.path + "/" + std::string(storage::high_watermark_file)), &LogDir::Found::high_watermark);
  const auto marker = co_await read_text(files, directory.path + "/" + std::string(clean_shutdown_file_name));
  directory.had_clean_shutdown = marker.has_value();
  directory.broker_epoch = marker ? broker_epoch_of(*marker) : -1;
  if (directory.had_clean_shutdown) {
    // It speaks of the last stop only: a crash from now on must find it gone.
    if (const auto done = co_await files.remove(directory.path + "/" + std::string(clean_shutdown_file_name)); !done) co_return fail(done.error().message());
    if (const auto done = co_await files.sync_directory(directory.path); !done) co_return fail(done.error().message());
  }
  co_return result<void, std::string>{};
}

task<result<std::unique_ptr<DirectorySet>, std::string>> DirectorySet::open(runtime::Environment& environment,
                                                                            const metadata::NodeConfig& config) {
  std::unique_ptr<DirectorySet> set(new DirectorySet(environment, config));
  MOLDAU_CO_CHECK(co_await set->lock_all());
  MOLDAU_CO_CHECK(co_await set->format());
  for (const auto& directory : set->directories_) MOLDAU_CO_CHECK(co_await set->scan(*directory));
  const auto same_epoch = [&](const auto& directory) { return directory->broker_epoch == set->directories_.front()->broker_epoch; };
  if (std::ranges::all_of(set->directories_, same_epoch)) set->previous_broker_epoch_ = set->directories_.front()->broker_epoch;
  co_return set;
}

}  // namespace moldau::broker
