// DirectoryHealth: whether one entry of log.dirs can be trusted with data.
//
// Shared by all logs of a directory, on whatever shard. A write or a sync that fails for another reason than a full disk
// ends it: what the file holds is unknown from then on, so the directory is offline until the next start.
#pragma once

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>

#include "base/log.h"
#include "storage/error.h"

namespace moldau::storage {

class DirectoryHealth {
 public:
  explicit DirectoryHealth(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_offline() const { return offline_.load(std::memory_order_acquire); }
  void set_offline(const std::string& why) {
    if (!offline_.exchange(true)) log_error("log directory {} is offline: {}", path_, why);
  }
  // Takes note of an error on its way to the caller.
  void note(const Error& error) {
    const bool is_full = error.io_error_number == ENOSPC || error.io_error_number == EDQUOT;
    if (error.io_error_number != 0 && !is_full && error.io_error_number != EAGAIN) set_offline(error.message);
  }
  [[nodiscard]] Error offline_error() const {
    return Error(protocol::ErrorCode::kafka_storage_error, "log directory " + path_ + " is offline");
  }

 private:
  std::string path_;
  std::atomic<bool> offline_ = false;
};

using DirectoryHealthPtr = std::shared_ptr<DirectoryHealth>;

}  // namespace moldau::storage
