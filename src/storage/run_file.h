// The file `.moldau_run` of a log directory: what a run of this node leaves for the next start to know, if it does not end
// with a clean stop.
//
// Its contents are written once every log of the directory was opened, and it is removed by a clean stop before its marker is written. It
// names the start of the machine (Environment::boot_id) and the leader epoch of the metadata log in which it was written.
// If both are still the same, the page cache holds everything that was written since, and nobody else wrote in between
// (Apache Kafka, which leaves this file alone, would have begun an epoch of its own). A copy of the file is known by its
// time of change, which nobody can set. The first bytes say whether a flush has failed; the file is open and their place taken
// from the beginning, so that neither a kill nor a full disk comes in between. docs/internals/recovery.md.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/environment.h"
#include "storage/directory_health.h"

namespace moldau::storage {

struct LastRun {
  bool is_of_this_boot = false;   // the file was written here, since the machine started
  int32_t leader_epoch = -1;
  bool had_failed_flush = false;  // and the page cache is still the one that it left
  bool is_of_another_boot = false;
};

// A file that is missing, or says nothing, is a run of which nothing is known.
[[nodiscard]] runtime::task<runtime::io_result<LastRun>> read_run_file(runtime::Environment& environment, std::string log_dir);

// Writes what it has to say, and puts it on stable storage. Does nothing where the machine's start has no name.
[[nodiscard]] runtime::task<runtime::io_result<>> write_run_file(runtime::Environment& environment, std::string log_dir,
                                                                 int32_t leader_epoch);
[[nodiscard]] runtime::task<runtime::io_result<>> remove_run_file(runtime::FileSystem& files, std::string log_dir);

// Opens the file, made if missing, so that a flush that fails is noted in the turn that learns of it. Before other shards have the health.
[[nodiscard]] runtime::task<runtime::io_result<>> keep_run_file_open(runtime::FileSystem& files, DirectoryHealthPtr health);

// Notes in the file that a flush has failed. The first, in the open file, in the caller's turn.
runtime::io_result<> note_failed_flush(runtime::File& file, const std::string& reason);
[[nodiscard]] runtime::task<runtime::io_result<>> write_failed_flush(runtime::FileSystem& files, std::string log_dir,
                                                                     std::string reason);
// The same when it happens: takes the directory offline first. Only the first of several writes. On every shard.
[[nodiscard]] runtime::task<void> record_failed_flush(runtime::FileSystem& files, DirectoryHealthPtr health, std::string reason);

}  // namespace moldau::storage
