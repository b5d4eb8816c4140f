// DirectorySet: the node's log.dirs, and metadata.log.dir where that is another one. Which partition lies where, who may write there, and the checkpoints beside them.
//
// Opened by the node before anything else; afterwards what takes a BrokerShard is called on the shard of the partition, the
// rest on shard 0. A directory that fails goes offline (storage::DirectoryHealth); the others go on. What follows from a
// failure is directory_failures.h, moving partitions replica_mover.h. docs/internals/directories.md has the whole story.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/broker.h"
#include "storage/log.h"
#include "storage/log_directory.h"

namespace moldau::broker {

// One of log.dirs.
struct LogDir {
  std::unique_ptr<storage::LogDirectory> files;
  Uuid id;                             // nil of one that could not be opened
  std::atomic<int64_t> partitions{0};  // here or on their way; new ones go where there are fewest
  std::atomic<bool> is_cordoned{false};  // nothing new is placed here while there is another one (cordoned_directories.h)
  // What was found at the start, by name: whether a topic of the metadata has it, and whether its log was opened.
  enum class Found : uint8_t { unclaimed, claimed, opened };
  std::unordered_map<std::string, std::atomic<Found>> found;
  std::unordered_map<std::string, std::string> found_futures;  // by the partition's own name, their names

  // As they stand on disk.
  std::vector<storage::PartitionOffset> written_recovery_points;
  std::vector<storage::PartitionOffset> written_log_starts;
  std::vector<storage::PartitionOffset> written_high_watermarks;
  std::vector<storage::PartitionOffset> written_cleaner_offsets;

  [[nodiscard]] const std::string& path() const { return files->path(); }
  [[nodiscard]] bool is_offline() const { return files->is_offline(); }
};

// The replica that this node is to hold.
struct WantedLog {
  std::string topic;
  Uuid topic_id;
  int32_t partition = 0;
  Uuid directory;  // where the metadata has it; perhaps a reserved id
  bool is_new = false;  // the topic has just been made: there cannot be a log yet
  storage::LogConfig config;
};

struct OpenedLog {
  std::unique_ptr<storage::Log> log;
  std::unique_ptr<storage::Log> future;  // the copy of a move that was interrupted; else null
};

class DirectorySet {
 public:
  // Locks every directory and makes sure that it is formatted for this node; formats them where none is. A directory that
  // cannot be read or written is offline, unless it is the metadata's or the last one. The error is a sentence that says
  // what to do; nothing has been changed then.
  [[nodiscard]] static runtime::task<result<std::unique_ptr<DirectorySet>, std::string>> open(
      runtime::Environment& environment, const metadata::NodeConfig& config);
  ~DirectorySet();

  [[nodiscard]] const std::string& cluster_id() const { return cluster_id_; }
  // Of the last run, if it stopped in order in every directory; else -1 (KIP-966).
  [[nodiscard]] int64_t previous_broker_epoch() const;
  [[nodiscard]] LogDir& metadata_directory() const { return *metadata_directory_; }
  [[nodiscard]] const std::vector<std::unique_ptr<LogDir>>& directories() const { return directories_; }
  // Null: there is none.
  [[nodiscard]] LogDir* find(const std::string& path) const;
  [[nodiscard]] LogDir* find(const Uuid& id) const;
  [[nodiscard]] bool any_offline() const;
  [[nodiscard]] bool all_offline() const;
  // Has `tell` called on whatever shard when a directory fails from now on.
  void on_failure(const std::function<void(LogDir&)>& tell);

  // The path of a partition that was found at the start; empty where there is none.
  [[nodiscard]] std::string any_partition_found() const;

  // Opens the log of a partition where it lies, or makes it where it belongs (directory_logs.cc).
  [[nodiscard]] runtime::task<storage::log_result<OpenedLog>> open_log(BrokerShard& shard, WantedLog wanted);
  // An empty log for the copy of a partition in another directory.
  [[nodiscard]] runtime::task<storage::log_result<std::unique_ptr<storage::Log>>> make_future(BrokerShard& shard, const storage::Log& current,
                                                                                              LogDir& target);
  // The partition is gone from this directory: its directory is renamed now and removed after file.delete.delay.ms.
  [[nodiscard]] runtime::task<void> delete_log(BrokerShard& shard, std::shared_ptr<storage::Log> log);
  // A partition that is made later shall lie in this directory (AlterReplicaLogDirs). On shard 0.
  void prefer(const std::string& topic, int32_t partition, const LogDir& directory);

  // Before any partition is opened: the metadata log's leader epoch as it was found, and this run's.
  [[nodiscard]] runtime::task<storage::log_result<>> begin_run(int32_t found, int32_t own);

  // Everything that the metadata knows has been opened: what nobody claimed is stray and is set aside, as Kafka does.
  [[nodiscard]] runtime::task<void> finish_loading();

  // How much clients may still write; without it they may fill the disk to its end.
  [[nodiscard]] runtime::task<void> measure_room();
  // directory_checkpoints.cc
  [[nodiscard]] runtime::task<void> checkpoint_high_watermarks(Broker& broker);
  [[nodiscard]] runtime::task<void> checkpoint_recovery_points(Broker& broker);
  [[nodiscard]] runtime::task<void> remove_deleted_partitions();
  // After every log was closed: the last checkpoints were written, so the next start need not recover.
  [[nodiscard]] runtime::task<void> mark_clean_shutdown(int64_t broker_epoch);

 private:
  DirectorySet(runtime::Environment& environment, const metadata::NodeConfig& config)
      : environment_(environment), config_(config) {}

  // directory_opening.cc
  [[nodiscard]] runtime::task<result<void, std::string>> open_all();
  [[nodiscard]] runtime::task<result<void, std::string>> open_metadata_directory();
  [[nodiscard]] runtime::task<result<void, std::string>> look_first();
  [[nodiscard]] runtime::task<storage::log_result<std::unique_ptr<LogDir>>> open_one(const std::string& path, bool may_be_offline);
  [[nodiscard]] std::vector<LogDir*> online_directories() const;
  [[nodiscard]] runtime::task<result<void, std::string>> format();

  // directory_logs.cc
  [[nodiscard]] runtime::task<std::vector<LogDir*>> holders_of(const std::string& name);
  [[nodiscard]] storage::LogOptions options_of(BrokerShard& shard, const WantedLog& wanted, LogDir& directory, const std::string& name) const;
  [[nodiscard]] runtime::task<storage::log_result<std::unique_ptr<storage::Log>>> open_in(BrokerShard& shard, const WantedLog& wanted,
                                                                                          LogDir& directory, std::string name);
  [[nodiscard]] runtime::task<storage::log_result<std::unique_ptr<storage::Log>>> open_found(BrokerShard& shard, const WantedLog& wanted,
                                                                                             const std::string& name);
  [[nodiscard]] runtime::task<std::unique_ptr<storage::Log>> one_of_two(BrokerShard& shard, const WantedLog& wanted,
                                                                        std::unique_ptr<storage::Log> one, std::unique_ptr<storage::Log> other);
  [[nodiscard]] runtime::task<std::unique_ptr<storage::Log>> open_future(BrokerShard& shard, const WantedLog& wanted, const std::string& name);
  [[nodiscard]] runtime::task<storage::log_result<std::unique_ptr<storage::Log>>> make_log(BrokerShard& shard, const WantedLog& wanted,
                                                                                           const std::string& name);
  [[nodiscard]] runtime::task<void> set_aside(LogDir& directory, std::string name, const std::string& topic, int32_t partition);

  // On shard 0.
  [[nodiscard]] LogDir* place_new(const WantedLog& wanted);

  struct Deleted {
    int64_t due_ms = 0;
    LogDir* directory = nullptr;
    std::string name;
  };

  runtime::Environment& environment_;
  const metadata::NodeConfig& config_;
  std::string cluster_id_;
  std::vector<std::unique_ptr<LogDir>> directories_;
  std::unique_ptr<LogDir> metadata_only_;  // metadata.log.dir where it is none of log.dirs
  LogDir* metadata_directory_ = nullptr;
  std::atomic<bool> loading_{true};
  // On shard 0.
  std::vector<Deleted> deleted_;
  std::map<std::pair<std::string, int32_t>, const LogDir*> preferred_;
  runtime::Mutex checkpointing_;
};

}  // namespace moldau::broker
