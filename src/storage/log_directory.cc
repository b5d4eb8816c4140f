#include "storage/log_directory.h"

#include <cerrno>
#include <charconv>

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutant.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::task;

namespace {

constexpr std::string_view lock_file = ".lock";
constexpr std::string_view clean_shutdown_file = ".kafka_cleanshutdown";
constexpr std::string_view metadata_topic = "__cluster_metadata";
constexpr uint64_t reserved_max_bytes = 64 * 1024 * 1024;
constexpr std::string_view remote_index_cache = "remote-log-index-cache";

// The number after "brokerEpoch" in {"version":0,"brokerEpoch":19}. Older Kafka leaves an empty file.
std::optional<int64_t> broker_epoch_in(std::string_view text) {
  constexpr std::string_view key = "\"brokerEpoch\"";
  size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find_first_not_of(" \t\r\n:", at + key.size());
  if (at == std::string_view::npos) return std::nullopt;
  int64_t epoch = -1;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), epoch);
  return error == std::errc{} && epoch >= 0 ? std::optional(epoch) : std::nullopt;
}

}  // namespace

LogDirectory::LogDirectory(runtime::Environment& environment, std::string path)
    : environment_(environment), health_(std::make_shared<DirectoryHealth>(std::move(path))) {}

task<log_result<std::unique_ptr<LogDirectory>>> LogDirectory::open(runtime::Environment& environment, std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::unique_ptr<LogDirectory> directory(new LogDirectory(environment, std::move(path)));
  MOLDAU_CO_CHECK(co_await directory->load());
  co_return directory;
}

task<log_result<>> LogDirectory::load() {
  runtime::FileSystem& files = environment_.files();
  MOLDAU_CO_CHECK(co_await runtime::make_directories(files, path()));
  auto locked = co_await files.lock(fmt::format("{}/{}", path(), lock_file));
  if (!locked && locked.error().error_number == EWOULDBLOCK)
    co_return fail(Error(ErrorCode::kafka_storage_error,
                         fmt::format("{} is in use by another process, which holds {}/{}: stop that one, or name another directory", path(), path(), lock_file)));
  if (!locked) co_return fail(Error(locked.error()));
  lock_ = std::move(*locked);

  MOLDAU_CO_TRY(const std::vector<runtime::DirectoryEntry> entries, co_await files.list(path()));
  was_empty_ = true;
  for (const runtime::DirectoryEntry& entry : entries) {
    if (entry.name != lock_file) was_empty_ = false;
    if (!entry.is_directory || entry.name == remote_index_cache) continue;
    auto partition = parse_partition_directory(entry.name);
    if (!partition) {
      log_warning("{}/{} is no partition's directory; it is left alone (Apache Kafka would not start with it)", path(),
                  entry.name);
      continue;
    }
    if (partition->topic != metadata_topic) found_.push_back({entry.name, std::move(*partition)});
  }
  MOLDAU_CO_TRY(recovery_points_, co_await read(recovery_point_file));
  MOLDAU_CO_TRY(log_starts_, co_await read(log_start_file));
  MOLDAU_CO_TRY(high_watermarks_, co_await read(high_watermark_file));
  MOLDAU_CO_TRY(cleaner_offsets_, co_await read(cleaner_file));
  MOLDAU_CO_TRY(last_run_, co_await read_run_file(environment_, path()));
  co_return co_await read_marker();
}

std::string_view LogDirectory::last_stop() const {
  if (had_clean_shutdown_) return "clean";
  if (last_run_.had_failed_flush) return "failed_flush";
  return was_only_killed_ ? "killed" : "unknown";
}

task<log_result<>> LogDirectory::forget_older_boot() {
  if (!last_run_.is_of_another_boot) co_return log_result<>{};
  MOLDAU_CO_CHECK(co_await remove_run_file(environment_.files(), path()));
  co_return log_result<>{};
}

task<log_result<>> LogDirectory::begin_run(int32_t found, int32_t own) {
  leader_epoch_ = own;
  was_only_killed_ = !had_clean_shutdown_ && last_run_.is_of_this_boot && last_run_.leader_epoch == found;
  co_await be_ready_to_fail();
  if (had_clean_shutdown_) {
    // The marker speaks of the stop before this start; it must be gone before a log is written to.
    if (MOLDAU_MUTANT("clean-shutdown-marker-kept")) co_return log_result<>{};
    MOLDAU_CO_CHECK(co_await environment_.files().remove(fmt::format("{}/{}", path(), clean_shutdown_file)));
    MOLDAU_CO_CHECK(co_await environment_.files().sync_directory(path()));
    co_return log_result<>{};
  }
  // What a killed process renamed is to stay so: a later power cut must not bring back a log beside the one that took its place.
  MOLDAU_CO_CHECK(co_await environment_.files().sync_directory(path()));
  if (last_run_.had_failed_flush)
    log_warning("{}: a flush failed in the last run; what was not flushed is read, checked and written again", path());
  else if (was_only_killed_)
    log_info("{}: the last run was killed and the machine ran on; only the ends of the logs are checked", path());
  else if (!was_empty_)
    log_info("{}: the last run did not stop in order; what was not flushed is read and checked", path());
  // A start that is killed as well leaves the page cache as it found it.
  if (was_only_killed_) MOLDAU_CO_CHECK(co_await write_run_file(environment_, path(), own));
  co_return log_result<>{};
}

task<void> LogDirectory::be_ready_to_fail() {
  if (const auto kept = co_await keep_run_file_open(environment_.files(), health_); !kept)
    log_warning("{}: should it fail, the note of that may come late: {}", path(), kept.error().message());
}

task<log_result<>> LogDirectory::note_running() {
  if (is_offline() || health_->needs_recovery()) co_return log_result<>{};
  auto written = co_await write_run_file(environment_, path(), leader_epoch_);
  if (written && is_offline())  // meanwhile
    written = co_await write_failed_flush(environment_.files(), path(), "while the logs were opened");
  if (!written) co_return fail(Error(written.error()));
  co_return log_result<>{};
}

task<log_result<>> LogDirectory::read_marker() {
  const std::string marker = fmt::format("{}/{}", path(), clean_shutdown_file);
  const auto text = co_await runtime::read_file(environment_.files(), marker, 4096);
  if (!text) {
    if (text.error().error_number == ENOENT) co_return log_result<>{};
    co_return fail(Error(text.error()));
  }
  had_clean_shutdown_ = true;
  previous_broker_epoch_ = broker_epoch_in(as_text(*text));
  co_return log_result<>{};
}

std::unique_ptr<LogDirectory> LogDirectory::offline(runtime::Environment& environment, std::string path, const std::string& why) {
  std::unique_ptr<LogDirectory> directory(new LogDirectory(environment, std::move(path)));
  directory->health_->set_offline(why);
  return directory;
}

task<log_result<LogDirectory::Offsets>> LogDirectory::read(std::string_view file) {
  Offsets offsets;
  const std::string name = fmt::format("{}/{}", path(), file);
  const auto text = co_await runtime::read_file(environment_.files(), name);
  if (!text) {
    if (text.error().error_number != ENOENT) co_return fail(Error(text.error()));
    co_return offsets;
  }
  const auto entries = decode_partition_offsets(*text);
  if (!entries) {
    log_error("{} is not used: {}", name, entries.error());
    co_return offsets;
  }
  for (const PartitionOffset& entry : *entries) offsets[{entry.topic, entry.partition}] = entry.offset;
  co_return offsets;
}

Offset LogDirectory::find(const Offsets& offsets, const std::string& topic, int32_t partition) {
  const auto found = offsets.find({topic, partition});
  return found == offsets.end() || found->second.value() < 0 ? Offset(0) : found->second;
}

void LogDirectory::fill(LogOptions& options) const {
  options.environment = &environment_;
  options.health = health_;
  options.directory = path() + "/" + partition_directory_name(options.topic, options.partition);
  options.had_clean_shutdown = had_clean_shutdown_;
  options.was_only_killed = was_only_killed_;
  options.had_failed_flush = last_run_.had_failed_flush;
  options.recovery_point = find(recovery_points_, options.topic, options.partition);
  options.log_start_offset = find(log_starts_, options.topic, options.partition);
  options.high_watermark = find(high_watermarks_, options.topic, options.partition);
}

std::optional<Offset> LogDirectory::cleaner_offset(const std::string& topic, int32_t partition) const {
  const auto found = cleaner_offsets_.find({topic, partition});
  return found == cleaner_offsets_.end() ? std::nullopt : std::optional(found->second);
}

LogDirectory::Checkpointed LogDirectory::checkpointed(const std::string& topic, int32_t partition) const {
  const auto entry = [&](const Offsets& offsets) {
    const auto found = offsets.find({topic, partition});
    return found == offsets.end() ? std::nullopt : std::optional(found->second);
  };
  return {.recovery_point = entry(recovery_points_), .log_start = entry(log_starts_), .high_watermark = entry(high_watermarks_)};
}

task<log_result<>> LogDirectory::write(std::string_view file, Bytes contents) {
  if (is_offline()) co_return fail(health_->offline_error());
  auto written = co_await runtime::write_file_atomically(environment_.files(), fmt::format("{}/{}", path(), file),
                                                         std::move(contents));
  if (written) co_return log_result<>{};
  Error error(written.error());
  health_->note(error);
  health_->need_recovery();
  co_return fail(std::move(error));
}

task<void> LogDirectory::measure_room() {
  const auto space = co_await environment_.files().space(path());
  if (!space) co_return;
  const auto kept_bytes = static_cast<int64_t>(std::min(space->total_bytes / 100, reserved_max_bytes));
  const bool had_room = health_->has_room();
  health_->set_room(static_cast<int64_t>(std::min<uint64_t>(space->free_bytes, INT64_MAX)) - kept_bytes);
  if (had_room && !health_->has_room())
    log_error("log directory {} is full: {} bytes are free, of which {} are kept for the node; producers are refused", path(),
              space->free_bytes, kept_bytes);
  else if (!had_room && health_->has_room())
    log_info("log directory {} has room again: {} bytes are free", path(), space->free_bytes);
}

task<log_result<>> LogDirectory::write_recovery_points(std::vector<PartitionOffset> offsets) {
  return write(recovery_point_file, encode_partition_offsets(offsets));
}
task<log_result<>> LogDirectory::write_log_starts(std::vector<PartitionOffset> offsets) {
  return write(log_start_file, encode_partition_offsets(offsets));
}
task<log_result<>> LogDirectory::write_high_watermarks(std::vector<PartitionOffset> offsets) {
  return write(high_watermark_file, encode_partition_offsets(offsets));
}
task<log_result<>> LogDirectory::write_cleaner_offsets(std::vector<PartitionOffset> offsets) {
  return write(cleaner_file, encode_partition_offsets(offsets));
}

task<log_result<>> LogDirectory::sync_all() {
  if (MOLDAU_MUTANT("closed-indexes-unsynced")) co_return log_result<>{};
  MOLDAU_CO_TRY(const runtime::FilePtr file,
                co_await environment_.files().open(fmt::format("{}/{}", path(), lock_file), runtime::OpenMode::create));
  MOLDAU_CO_CHECK(co_await file->sync_file_system());
  co_return log_result<>{};
}

task<log_result<>> LogDirectory::mark_clean_shutdown(int64_t broker_epoch) {
  if (health_->needs_recovery())
    co_return fail(Error(ErrorCode::kafka_storage_error, path() + " could not be written to in full"));
  // What closing the logs has written to indexes and snapshots is as much as the marker promises.
  if (auto synced = co_await sync_all(); !synced) {
    health_->note(synced.error());
    co_return fail(std::move(synced.error()));
  }
  // Before the marker: behind a clean stop others may write here, of whom the file says nothing.
  MOLDAU_CO_CHECK(co_await remove_run_file(environment_.files(), path()));
  co_return co_await write(clean_shutdown_file, to_bytes(fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}", broker_epoch)));
}

std::string LogDirectory::deletion_name(const std::string& topic, int32_t partition, PartitionDirectoryKind kind) const {
  const Uuid unique = runtime::random_uuid(environment_);
  return partition_directory_name(topic, partition, kind,
                                  fmt::format("{:016x}{:016x}", static_cast<uint64_t>(unique.most_significant),
                                              static_cast<uint64_t>(unique.least_significant)));
}

task<log_result<>> LogDirectory::remove(std::string name) {
  auto removed = co_await runtime::remove_tree(environment_.files(), path() + "/" + name);
  if (removed || removed.error().error_number == ENOENT) co_return log_result<>{};
  Error error(removed.error());
  health_->note(error);
  co_return fail(std::move(error));
}

}  // namespace moldau::storage
