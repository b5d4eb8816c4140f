// DirectorySet: the node's log.dirs, and metadata.log.dir where that is another one. Which partition lies where, who may write there, and the checkpoints beside them.
//
// Opened by the node before anything else; afterwards open_log and delete_log are called on the shard of their
// partition, the rest on shard 0. A directory that fails goes offline (storage::DirectoryHealth); the others go on.
#pragma once

#include <atomic>
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
  Uuid id;
  std::atomic<int64_t> partitions{0};  // opened here; new ones go where there are fewest
  // By the name of a partition's directory that was found at the start: whether a topic of the metadata has it.
  std::unordered_map<std::string, std::atomic<bool>> claimed;

  // As they stand on disk.
  std::vector<storage::PartitionOffset> written_recovery_points;
  std::vector<storage::PartitionOffset> written_log_starts;
  std::vector<storage::PartitionOffset> written_high_watermarks;
  std::vector<storage::PartitionOffset> written_cleaner_offsets;

  [[nodiscard]] const std::string& path() const { return files->path(); }
};

class DirectorySet {
 public:
  // Locks every directory and makes sure that it is formatted for this node; formats them where none is. The error is
  // a sentence that says what to do.
  [[nodiscard]] static runtime::task<result<std::unique_ptr<DirectorySet>, std::string>> open(
      runtime::Environment& environment, const metadata::NodeConfig& config);
  ~DirectorySet();

  [[nodiscard]] const std::string& cluster_id() const { return cluster_id_; }
  // Of the last run, if it stopped in order in every directory; else -1 (KIP-966).
  [[nodiscard]] int64_t previous_broker_epoch() const;
  [[nodiscard]] LogDir& metadata_directory() const { return *metadata_directory_; }
  [[nodiscard]] const std::vector<std::unique_ptr<LogDir>>& directories() const { return directories_; }

  // The path of a partition that was found at the start; empty where there is none.
  [[nodiscard]] std::string any_partition_found() const;

  // Opens the log of a partition where it was found, or makes it where there are fewest.
  [[nodiscard]] runtime::task<storage::log_result<std::unique_ptr<storage::Log>>> open_log(
      BrokerShard& shard, const std::string& topic, const Uuid& topic_id, int32_t partition, const storage::LogConfig& config);
  // The partition is gone: its directory is renamed now and removed after file.delete.delay.ms.
  [[nodiscard]] runtime::task<void> delete_log(BrokerShard& shard, std::shared_ptr<storage::Log> log);

  // Everything that the metadata knows has been opened: what nobody claimed is stray and is set aside, as Kafka does.
  [[nodiscard]] runtime::task<void> finish_loading();

  // How much clients may still write; without it they may fill the disk to its end.
  [[nodiscard]] runtime::task<void> measure_room();
  [[nodiscard]] runtime::task<void> checkpoint_high_watermarks(Broker& broker);
  [[nodiscard]] runtime::task<void> checkpoint_recovery_points(Broker& broker);
  [[nodiscard]] runtime::task<void> remove_deleted_partitions();
  // After every log was closed: the last checkpoints were written, so the next start need not recover.
  [[nodiscard]] runtime::task<void> mark_clean_shutdown(int64_t broker_epoch);

 private:
  DirectorySet(runtime::Environment& environment, const metadata::NodeConfig& config)
      : environment_(environment), config_(config) {}

  [[nodiscard]] runtime::task<result<void, std::string>> open_all();
  [[nodiscard]] std::vector<LogDir*> all_directories() const;
  [[nodiscard]] runtime::task<result<void, std::string>> format();
  [[nodiscard]] LogDir* place_new() const;

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
  std::vector<Deleted> deleted_;  // on shard 0
};

}  // namespace moldau::broker
