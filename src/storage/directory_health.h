// DirectoryHealth: whether one entry of log.dirs can be trusted with data.
//
// Shared by all logs of a directory, on whatever shard. A write or a sync that fails for another reason than a full disk
// ends it: what the file holds is unknown from then on, so the directory is offline until the next start.
//
// Of a disk that fills up the last bit is kept from clients' records, so that there is room for what a node must write
// even then: offsets of groups, metadata, checkpoints, the next start. Whoever owns the directory measures the room now
// and then, and appends take from it in between.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/file.h"
#include "storage/error.h"

namespace moldau::storage {

class DirectoryHealth {
 public:
  explicit DirectoryHealth(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_offline() const { return offline_.load(std::memory_order_acquire); }
  // The first time, the next start is told at once to put on the disk anew what this one may only seem to have put there.
  void set_offline(const std::string& why);
  // Called once, on whatever shard, when the directory fails. To be set before the health is shared.
  void on_offline(std::function<void()> tell) { on_offline_ = std::move(tell); }
  // Takes note of an error on its way to the caller.
  void note(const Error& error) {
    const bool is_full = error.io_error_number == ENOSPC || error.io_error_number == EDQUOT;
    if (error.io_error_number != 0 && !is_full && error.io_error_number != EAGAIN) set_offline(error.message);
  }
  // Bytes that clients' records may still take, until the next measurement.
  void set_room(int64_t bytes) { room_bytes_.store(bytes, std::memory_order_relaxed); }
  [[nodiscard]] bool take_room(int64_t bytes) {
    if (room_bytes_.fetch_sub(bytes, std::memory_order_relaxed) >= bytes) return true;
    // Nobody after one that was refused, so that a small batch does not overtake a large one of the same producer.
    room_bytes_.store(0, std::memory_order_relaxed);
    return false;
  }
  [[nodiscard]] bool has_room() const { return room_bytes_.load(std::memory_order_relaxed) > 0; }
  [[nodiscard]] Error full_error() const {
    return Error(protocol::ErrorCode::kafka_storage_error,
                 "log directory " + path_ + " is full: what is left is kept for the node itself");
  }

  // Where the next start is told (run_file.h), open from the start on. To be set before other shards have the health.
  void keep_run_file(runtime::FilePtr file) { run_file_ = std::move(file); }
  // Null if the note could not be written there; only valid when offline.
  [[nodiscard]] runtime::FilePtr noted_in() const { return is_noted_.load(std::memory_order_acquire) ? run_file_ : nullptr; }
  // Of several flushes that failed the first one is to see to it that this is written down.
  [[nodiscard]] bool claim_failed_flush() { return !has_failed_flush_.exchange(true); }

  // Something that a clean stop promises could not be written: the next start has to look at the logs.
  void need_recovery() { needs_recovery_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool needs_recovery() const { return needs_recovery_.load(std::memory_order_relaxed); }

  [[nodiscard]] Error offline_error() const {
    return Error(protocol::ErrorCode::kafka_storage_error, "log directory " + path_ + " is offline");
  }

 private:
  std::string path_;
  std::function<void()> on_offline_;
  runtime::FilePtr run_file_;
  std::atomic<bool> offline_ = false;
  std::atomic<bool> is_noted_ = false;
  std::atomic<bool> needs_recovery_ = false;
  std::atomic<bool> has_failed_flush_ = false;
  std::atomic<int64_t> room_bytes_ = INT64_MAX;
};

using DirectoryHealthPtr = std::shared_ptr<DirectoryHealth>;

}  // namespace moldau::storage
