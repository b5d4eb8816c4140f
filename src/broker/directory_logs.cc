// From the metadata's word that this node holds a replica to its log: where it lies, what an interrupted move has left of
// it, and where it goes if it is new.
#include "base/log.h"
#include "broker/directory_set.h"
#include "metadata/image.h"
#include "storage/future_log.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;
using storage::Log;
using storage::log_result;
using storage::PartitionDirectoryKind;
using LogPtr = std::unique_ptr<Log>;

// The directories where the partition lies under its own name: one, or two after a stop in the middle of a swap.
task<std::vector<LogDir*>> DirectorySet::holders_of(const std::string& name) {
  std::vector<LogDir*> holders;
  const bool loading = loading_.load(std::memory_order_acquire);
  for (const auto& directory : directories_) {
    if (directory->is_offline()) continue;
    if (loading ? directory->found.contains(name)
                : (co_await environment_.files().status(directory->path() + "/" + name)).has_value())
      holders.push_back(directory.get());
  }
  co_return holders;
}

storage::LogOptions DirectorySet::options_of(BrokerShard& shard, const WantedLog& wanted, LogDir& directory, const std::string& name) const {
  storage::LogOptions options;
  options.topic = wanted.topic;
  options.partition = wanted.partition;
  const auto found = directory.found.find(name);
  if (found != directory.found.end() && found->second.load() != LogDir::Found::opened)
    directory.files->fill(options);
  else
    options.had_clean_shutdown = true;  // there is nothing to recover
  options.environment = &environment_;
  options.open_files = &shard.open_files;
  options.health = directory.files->health();
  options.directory = directory.path() + "/" + name;
  options.topic_id = wanted.topic_id;
  options.config = wanted.config;
  options.clock = &shard.broker.clock;
  options.producers.producer_id_expiration_ms = config_.logs.producer_id_expiration_ms;
  options.producers.verify_transactions = config_.transactions.transaction_partition_verification_enable;
  return options;
}

task<log_result<LogPtr>> DirectorySet::open_in(BrokerShard& shard, const WantedLog& wanted, LogDir& directory, std::string name) {
  const auto found = directory.found.find(name);
  const auto mark = [&](LogDir::Found as) {
    if (found != directory.found.end()) found->second.store(as);
  };
  storage::LogOptions options = options_of(shard, wanted, directory, name);
  mark(LogDir::Found::claimed);
  storage::LoadReport report;
  auto log = co_await Log::open(std::move(options), &report);
  if (!log && log.error().code == ErrorCode::inconsistent_topic_id) {
    // Of an earlier topic of this name, which was deleted while the directory was away.
    mark(LogDir::Found::opened);
    --directory.partitions;
    co_await set_aside(directory, name, wanted.topic, wanted.partition);
    co_return log;
  }
  if (!log) {
    // What could not be opened was not looked at, so a stop must not say that it was left in order.
    directory.files->health()->need_recovery();
    co_return log;
  }
  mark(LogDir::Found::opened);
  if (report.bytes_cut > 0 || report.segments_cut > 0)
    log_warning("{}: cut a torn tail of {} bytes and {} whole segments behind it; everything up to offset {} is whole", name,
                report.bytes_cut, report.segments_cut, (*log)->log_end_offset());
  for (const std::string& damage : report.damage) log_error("{}: {}", name, damage);
  co_return log;
}

// A stop in the middle of a swap leaves the log under its own name in two directories.
task<LogPtr> DirectorySet::one_of_two(BrokerShard& shard, const WantedLog& wanted, LogPtr one, LogPtr other) {
  const LogDir* assigned = find(wanted.directory);
  const storage::ChoiceOfTwo choice =
      storage::choose_of_two(*one, *other, assigned != nullptr && assigned->path() == other->log_dir());
  if (choice.takes_other) std::swap(one, other);
  std::shared_ptr<Log> left = std::move(other);
  log_warning("{}-{} lies in {} and in {}, as a stop in the middle of a move leaves it: the one in {} is taken, it ends at {}, the other at {}",
              wanted.topic, wanted.partition, one->log_dir(), left->log_dir(), one->log_dir(), one->log_end_offset(), left->log_end_offset());
  if (!choice.loses_records) {
    co_await delete_log(shard, std::move(left));
    co_return one;
  }
  log_error("{} holds records that {} does not hold; it is kept under another name", left->directory(), one->directory());
  const std::string name = left->directory().substr(left->directory().rfind('/') + 1);
  LogDir* directory = find(left->log_dir());
  co_await left->abandon();
  --directory->partitions;
  co_await set_aside(*directory, name, wanted.topic, wanted.partition);
  co_return one;
}

// Null: it lies in no directory.
task<log_result<LogPtr>> DirectorySet::open_found(BrokerShard& shard, const WantedLog& wanted, const std::string& name) {
  LogPtr taken;
  for (LogDir* directory : co_await holders_of(name)) {
    auto log = co_await open_in(shard, wanted, *directory, name);
    if (!log && log.error().code == ErrorCode::inconsistent_topic_id) continue;
    if (!log) {
      if (taken) co_await taken->abandon();
      co_return log;
    }
    taken = taken ? co_await one_of_two(shard, wanted, std::move(taken), std::move(*log)) : std::move(*log);
  }
  co_return taken;
}

// The copy that an interrupted move has left; null if there is none.
task<LogPtr> DirectorySet::open_future(BrokerShard& shard, const WantedLog& wanted, const std::string& name) {
  if (!loading_.load(std::memory_order_acquire)) co_return nullptr;
  LogPtr taken;
  for (const auto& directory : directories_) {
    const auto found = directory->found_futures.find(name);
    if (found == directory->found_futures.end() || directory->is_offline()) continue;
    WantedLog copy = wanted;
    copy.config = storage::future_log_config(wanted.config);
    auto log = co_await open_in(shard, copy, *directory, found->second);
    if (!log) {
      if (log.error().code != ErrorCode::inconsistent_topic_id)
        log_error("the copy {}/{} cannot be used: {}", directory->path(), found->second, log.error().message);
      continue;
    }
    // Apache Kafka refuses to start with two; the one that was begun last cannot be told, and any can be begun again.
    if (taken) co_await delete_log(shard, std::shared_ptr<Log>(std::move(taken)));
    taken = std::move(*log);
  }
  co_return taken;
}

task<log_result<LogPtr>> DirectorySet::make_log(BrokerShard& shard, const WantedLog& wanted, const std::string& name) {
  const auto refused = [&](std::string why) {
    return fail(storage::Error(ErrorCode::kafka_storage_error, std::move(why)));
  };
  if (!wanted.is_new) {
    // Where a directory is missing the log may lie there: another one in its place would hide its records.
    if (!wanted.directory.is_reserved_directory() && find(wanted.directory) == nullptr)
      co_return refused(fmt::format("it lies in the directory with id {}, which is none of log.dirs, or is offline: put that directory "
                                    "back and restart, or delete the topic",
                                    wanted.directory));
    const LogDir* assigned = find(wanted.directory);
    if (assigned != nullptr ? assigned->is_offline() : any_offline())
      co_return refused("its log directory is offline, or it is not known in which directory it lies and one is offline");
  }
  LogDir* home = co_await runtime::call_on(shard.broker.first_shard().shard, [&] { return runtime::ready(place_new(wanted)); });
  if (home == nullptr) co_return refused("every log directory is offline");
  auto log = co_await open_in(shard, wanted, *home, name);
  if (!log) --home->partitions;
  co_return log;
}

task<log_result<OpenedLog>> DirectorySet::open_log(BrokerShard& shard, WantedLog wanted) {
  const std::string name = storage::partition_directory_name(wanted.topic, wanted.partition);
  OpenedLog opened;
  MOLDAU_CO_TRY(opened.log, co_await open_found(shard, wanted, name));
  LogPtr future = co_await open_future(shard, wanted, name);
  if (opened.log && future && opened.log->log_dir() == future->log_dir()) {
    co_await delete_log(shard, std::shared_ptr<Log>(std::move(future)));
  } else if (!opened.log && future) {
    const LogDir* assigned = find(wanted.directory);
    if (any_offline() && (assigned == nullptr || assigned->path() != future->log_dir())) {
      co_await future->abandon();  // the log itself is in a directory that is offline
    } else {
      log_error("{} is the only copy of {} that there is, and takes its place; the records behind its end, {}, are lost if there were any",
                future->directory(), name, future->log_end_offset());
      MOLDAU_CO_CHECK(co_await future->rename_directory(name));
      MOLDAU_CO_CHECK(co_await future->sync_name());
      future->update_config(wanted.config);
      opened.log = std::move(future);
    }
  }
  if (!opened.log) {
    MOLDAU_CO_TRY(opened.log, co_await make_log(shard, wanted, name));
  }
  opened.future = std::move(future);
  co_return opened;
}

task<log_result<LogPtr>> DirectorySet::make_future(BrokerShard& shard, const Log& current, LogDir& target) {
  WantedLog wanted{.topic = current.topic(), .partition = current.partition(), .config = storage::future_log_config(current.config())};
  wanted.topic_id = *current.topic_id();
  ++target.partitions;
  auto made = co_await open_in(shard, wanted, target, target.files->deletion_name(wanted.topic, wanted.partition, PartitionDirectoryKind::future));
  if (!made) --target.partitions;
  co_return made;
}

}  // namespace moldau::broker
