// What can be done for a damaged partition while no node uses its directory: copy what is sound, or build its indexes again.
//
// Apache Kafka's directories and Moldau's alike. Runs as a task on any shard; whoever calls sees to it that the directory is
// not in use (see lock_of_partition). Segments are read whole and checked as the scrubber does it (segment_examination.h).
#pragma once

#include <functional>

#include "runtime/environment.h"
#include "storage/log_types.h"

namespace moldau::storage {

// Keeps a node from taking the log directory that holds `partition`; null where there is none to take. Fails where one has it.
runtime::task<log_result<std::unique_ptr<runtime::FileLock>>> lock_of_partition(runtime::FileSystem& files, std::string partition);

// Told now and then: the file, and how many bytes have been looked at so far.
using SalvageProgress = std::function<void(const std::string& file, uint64_t bytes)>;

struct Salvaged {
  uint64_t segments = 0;
  uint64_t bytes_copied = 0;
  Offset first_offset = no_offset;  // of what was copied; no_offset: nothing was
  Offset end_offset = no_offset;
  std::vector<QuarantinedRange> left_out;
};

// Copies every sound batch of the partition in `from` to `to`, which is made and must not exist, with fresh indexes, the
// history of leader epochs and the topic's id. Nothing in `from` is changed.
runtime::task<log_result<Salvaged>> salvage_partition(runtime::Environment& environment, std::string from, std::string to,
                                                      SalvageProgress progress);

struct RepairedIndex {
  std::string file;
  std::string fault;  // what was wrong with it
};

struct RepairedIndexes {
  uint64_t segments = 0;
  std::vector<RepairedIndex> repaired;
  std::vector<QuarantinedRange> damaged;  // of the logs, past which the indexes were built
};

// Compares the indexes in `directory` with their segments and builds those again that are wrong. No log is changed.
runtime::task<log_result<RepairedIndexes>> repair_indexes(runtime::Environment& environment, std::string directory,
                                                          SalvageProgress progress);

}  // namespace moldau::storage
