#include "broker/directory_set.h"

#include "base/log.h"
#include "broker/gather.h"
#include "metadata/image.h"

namespace moldau::broker {

using runtime::task;
using storage::PartitionDirectoryKind;

static constexpr size_t max_preferences = 100'000;  // for partitions that are not there

DirectorySet::~DirectorySet() = default;

LogDir* DirectorySet::find(const std::string& path) const {
  for (const auto& directory : directories_)
    if (directory->path() == path) return directory.get();
  return nullptr;
}

LogDir* DirectorySet::find(const Uuid& id) const {
  if (id.is_reserved_directory()) return nullptr;
  for (const auto& directory : directories_)
    if (directory->id == id) return directory.get();
  return nullptr;
}

bool DirectorySet::any_offline() const {
  return std::ranges::any_of(directories_, [](const auto& directory) { return directory->is_offline(); });
}

bool DirectorySet::all_offline() const {
  return std::ranges::all_of(directories_, [](const auto& directory) { return directory->is_offline(); });
}

void DirectorySet::on_failure(const std::function<void(LogDir&)>& tell) {
  for (const auto& directory : directories_) directory->files->health()->on_offline([tell, failed = directory.get()] { tell(*failed); });
  if (metadata_only_) metadata_only_->files->health()->on_offline([tell, failed = metadata_only_.get()] { tell(*failed); });
}

std::string DirectorySet::any_partition_found() const {
  for (const auto& directory : directories_)
    for (const storage::FoundPartition& found : directory->files->found())
      if (found.partition.kind == PartitionDirectoryKind::live) return directory->path() + "/" + found.name;
  return {};
}

int64_t DirectorySet::previous_broker_epoch() const {
  std::optional<int64_t> epoch;
  for (const auto& directory : directories_) {
    if (directory->is_offline()) continue;
    const std::optional<int64_t> here = directory->files->previous_broker_epoch();
    if (!here || (epoch && epoch != here)) return -1;
    epoch = here;
  }
  return epoch.value_or(-1);
}

// --- where new ones go ---

void DirectorySet::prefer(const std::string& topic, int32_t partition, const LogDir& directory) {
  if (preferred_.size() < max_preferences) preferred_[{topic, partition}] = &directory;
}

LogDir* DirectorySet::place_new(const WantedLog& wanted) {
  const auto preferred = preferred_.extract({wanted.topic, wanted.partition});
  LogDir* best = preferred.empty() ? find(wanted.directory) : find(preferred.mapped()->path());
  if (best == nullptr || best->is_offline()) {
    best = nullptr;
    const auto comes_before = [](const LogDir& one, const LogDir& other) {
      return std::pair(one.is_cordoned.load(), one.partitions.load()) < std::pair(other.is_cordoned.load(), other.partitions.load());
    };
    for (const auto& directory : directories_)
      if (!directory->is_offline() && (best == nullptr || comes_before(*directory, *best))) best = directory.get();
  }
  if (best != nullptr) ++best->partitions;
  return best;
}

// --- what goes ---

task<void> DirectorySet::delete_log(BrokerShard& shard, std::shared_ptr<storage::Log> log) {
  LogDir* home = find(log->log_dir());
  MOLDAU_ASSERT(home != nullptr);
  Deleted deleted{.due_ms = environment_.wall_clock_ms() + log->config().file_delete_delay_ms,
                  .directory = home,
                  .name = home->files->deletion_name(log->topic(), log->partition(), PartitionDirectoryKind::deleted)};
  --home->partitions;
  if (home->is_offline()) {  // its files are left as they are; the next start sees that they belong to nothing
    co_await log->abandon();
    co_return;
  }
  const auto renamed = co_await log->rename_directory(deleted.name);
  if (!renamed) log_error("cannot set {}-{} aside: {}", log->topic(), log->partition(), renamed.error().message);
  if (renamed) (void)co_await log->sync_name();
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
    if (deleted.directory->is_offline()) continue;
    const auto removed = co_await deleted.directory->files->remove(deleted.name);
    if (!removed) log_warning("{}", removed.error().message);
  }
}

task<void> DirectorySet::set_aside(LogDir& directory, std::string name, const std::string& topic, int32_t partition) {
  const std::string stray = directory.files->deletion_name(topic, partition, PartitionDirectoryKind::stray);
  const auto renamed = co_await environment_.files().rename(directory.path() + "/" + name, directory.path() + "/" + stray);
  if (renamed)
    log_warning("{}/{} belongs to no topic of this cluster: renamed to {}", directory.path(), name, stray);
  else
    log_error("{}", renamed.error().message());
}

// What the metadata does not know is renamed to NAME.ID-stray and kept, as Kafka does; what was being deleted goes.
task<void> DirectorySet::finish_loading() {
  loading_.store(false, std::memory_order_release);
  for (const auto& directory : directories_) {
    if (directory->is_offline()) continue;
    for (const storage::FoundPartition& found : directory->files->found()) {
      const auto& [topic, partition, kind] = found.partition;
      if (kind == PartitionDirectoryKind::deleted)
        deleted_.push_back({.due_ms = environment_.wall_clock_ms(), .directory = directory.get(), .name = found.name});
      if (kind == PartitionDirectoryKind::deleted || kind == PartitionDirectoryKind::stray) continue;
      if (directory->found.at(found.name).load() != LogDir::Found::unclaimed) continue;
      --directory->partitions;
      co_await set_aside(*directory, found.name, topic, partition);
      directory->found.at(found.name).store(LogDir::Found::opened);  // a topic that is made with this name begins at 0
    }
  }
  for (LogDir* directory : online_directories()) {
    const auto noted = co_await directory->files->note_running();
    if (!noted) log_warning("{}: a start after a kill will read everything: {}", directory->path(), noted.error().message);
  }
  co_await remove_deleted_partitions();
}

task<storage::log_result<>> DirectorySet::begin_run(int32_t found, int32_t own) {
  for (const auto& directory : directories_) {
    if (directory->is_offline()) continue;
    const auto begun = co_await directory->files->begin_run(found, own);
    if (begun) continue;
    directory->files->health()->set_offline(begun.error().message);
    if (directory.get() == metadata_directory_ || all_offline()) co_return begun;
  }
  if (metadata_only_) co_await metadata_only_->files->be_ready_to_fail();
  co_return storage::log_result<>{};
}

// --- by the clock, and at the end ---

task<void> DirectorySet::measure_room() {
  std::vector<LogDir*> all;
  for (const auto& directory : directories_) all.push_back(directory.get());
  if (metadata_only_) all.push_back(metadata_only_.get());
  for (LogDir* directory : all) {
    // A failed write may have had the system forget others: the next start is to put them on the disk anew.
    const storage::DirectoryHealthPtr& health = directory->files->health();
    if (health->is_offline())
      co_await storage::record_failed_flush(environment_.files(), health, "the directory went offline");
    else
      co_await directory->files->measure_room();
  }
}

task<void> DirectorySet::mark_clean_shutdown(int64_t broker_epoch) {
  for (const auto& directory : directories_) {
    if (directory->is_offline()) continue;
    const auto written = co_await directory->files->mark_clean_shutdown(broker_epoch);
    if (!written) log_error("{}: the next start will check the logs", written.error().message);
  }
  if (!metadata_only_ || metadata_only_->files->is_offline()) co_return;
  const auto removed = co_await storage::remove_run_file(environment_.files(), metadata_only_->path());
  if (!removed) log_warning("{}", removed.error().message());
}

}  // namespace moldau::broker
