// LogDirectory: one entry of log.dirs: who may use it, which partitions lie in it, and what its checkpoints say.
//
// Opened once when the node starts, on one shard, and used there; the logs themselves may live on other shards and share
// only its health. It does not hold the logs: their owner gathers the offsets and has them written here every so often
// and at the end. Files are Kafka's. meta.properties is not read here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/environment.h"
#include "storage/checkpoints.h"
#include "storage/log_types.h"
#include "storage/partition_directory.h"
#include "storage/run_file.h"

namespace moldau::storage {

struct FoundPartition {
  std::string name;  // of the directory
  PartitionDirectory partition;
};

class LogDirectory {
 public:
  // Makes the directory if it is missing, locks it (`.lock`), lists it, reads the checkpoints and the marker of a clean
  // stop; but for the lock nothing is changed. kafka_storage_error if another process has it, or the disk fails.
  static runtime::task<log_result<std::unique_ptr<LogDirectory>>> open(runtime::Environment& environment,
                                                                       std::string path);
  // One that could not be opened, for this reason: it is offline from the start.
  static std::unique_ptr<LogDirectory> offline(runtime::Environment& environment, std::string path, const std::string& why);

  [[nodiscard]] const std::string& path() const { return health_->path(); }
  [[nodiscard]] const DirectoryHealthPtr& health() const { return health_; }
  [[nodiscard]] bool is_offline() const { return health_->is_offline(); }
  [[nodiscard]] bool had_clean_shutdown() const { return had_clean_shutdown_; }
  // From the marker of the last clean stop; null if there is none or it does not say.
  [[nodiscard]] std::optional<int64_t> previous_broker_epoch() const { return previous_broker_epoch_; }
  // How the last run ended: "clean", "killed" (and the machine ran on), "failed_flush" or "unknown".
  [[nodiscard]] std::string_view last_stop() const;
  // Of the last run, if that did not stop in order.
  [[nodiscard]] bool had_failed_flush() const { return last_run_.had_failed_flush; }
  // Whatever else comes, the run file of an older start of the machine goes: a flush that fails before this run has written its
  // own would be noted in it, and not believed.
  runtime::task<log_result<>> forget_older_boot();
  // Opens the run file, so that a failure of the directory is noted at once. begin_run() does this.
  runtime::task<void> be_ready_to_fail();
  // The metadata log was found at epoch `found`, and this run leads it in `own`: now it is known who wrote here last. Before
  // any log is opened. Takes the marker of a clean stop away.
  runtime::task<log_result<>> begin_run(int32_t found, int32_t own);
  // Every log was opened, and what had to be recovered was: what this run leaves behind can be told from now on.
  runtime::task<log_result<>> note_running();

  // What lay here at the start, but for __cluster_metadata. In order of name.
  [[nodiscard]] const std::vector<FoundPartition>& found() const { return found_; }
  [[nodiscard]] bool is_empty() const { return was_empty_; }

  // Fills in directory, health, whether the last stop was clean, and the checkpointed offsets of the partition.
  void fill(LogOptions& options) const;
  // The cleaner's checkpoint, for compaction to begin with; null: it names no such partition.
  [[nodiscard]] std::optional<Offset> cleaner_offset(const std::string& topic, int32_t partition) const;

  // What the checkpoints said of a partition at the start; null: no such entry.
  struct Checkpointed {
    std::optional<Offset> recovery_point;
    std::optional<Offset> log_start;
    std::optional<Offset> high_watermark;
  };
  [[nodiscard]] Checkpointed checkpointed(const std::string& topic, int32_t partition) const;

  // Replace a checkpoint. `offsets` are all partitions of this directory (log starts: only where the start lies above the
  // base of the first segment).
  runtime::task<log_result<>> write_recovery_points(std::vector<PartitionOffset> offsets);
  runtime::task<log_result<>> write_log_starts(std::vector<PartitionOffset> offsets);
  runtime::task<log_result<>> write_high_watermarks(std::vector<PartitionOffset> offsets);
  runtime::task<log_result<>> write_cleaner_offsets(std::vector<PartitionOffset> offsets);
  // The last thing in a clean stop, when every log is flushed and closed and the checkpoints are written.
  runtime::task<log_result<>> mark_clean_shutdown(int64_t broker_epoch);

  // A name for Log::rename_directory when its topic was deleted, or the partition is not this node's any more.
  [[nodiscard]] std::string deletion_name(const std::string& topic, int32_t partition, PartitionDirectoryKind kind) const;
  // Removes a directory of this one, with all that is in it.
  runtime::task<log_result<>> remove(std::string name);

  // Looks how much room clients' records have: what is free, less a hundredth of the disk or 64 MiB.
  runtime::task<void> measure_room();

 private:
  using Offsets = std::map<std::pair<std::string, int32_t>, Offset>;

  LogDirectory(runtime::Environment& environment, std::string path);
  runtime::task<log_result<>> load();
  runtime::task<log_result<>> read_marker();
  runtime::task<log_result<>> sync_all();
  runtime::task<log_result<Offsets>> read(std::string_view file);
  runtime::task<log_result<>> write(std::string_view file, Bytes contents);
  [[nodiscard]] static Offset find(const Offsets& offsets, const std::string& topic, int32_t partition);

  runtime::Environment& environment_;
  DirectoryHealthPtr health_;
  std::unique_ptr<runtime::FileLock> lock_;
  std::vector<FoundPartition> found_;
  bool was_empty_ = false;
  bool had_clean_shutdown_ = false;
  LastRun last_run_;
  bool was_only_killed_ = false;
  int32_t leader_epoch_ = -1;
  std::optional<int64_t> previous_broker_epoch_;
  Offsets recovery_points_;
  Offsets log_starts_;
  Offsets high_watermarks_;
  Offsets cleaner_offsets_;
};

}  // namespace moldau::storage
