// The file system of Linux. Opening, listing and status are done in the caller's turn (their metadata is cached);
// removing, renaming and directory flushes, which may wait for a journal, on I/O threads. Usable from every shard.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <mutex>

#include "runtime/file.h"
#include "runtime/real/disk_file.h"

namespace moldau::runtime::real {

class DiskFileSystem final : public FileSystem {
 public:
  explicit DiskFileSystem(IoPool& pool) : pool_(pool) {}

  task<io_result<FilePtr>> open(std::string path, OpenMode mode) override;
  task<io_result<>> rename(std::string from, std::string to) override;
  task<io_result<>> remove(std::string path) override;
  task<io_result<>> create_directories(std::string path) override;
  task<io_result<>> sync_directory(std::string path) override;
  task<io_result<std::vector<DirectoryEntry>>> list(std::string path) override;
  task<io_result<FileStatus>> status(std::string path) override;
  task<io_result<>> set_modified_ms(std::string path, int64_t modified_ms) override;
  task<io_result<std::unique_ptr<FileLock>>> lock(std::string path) override;
  task<io_result<DiskSpace>> space(std::string path) override;
  task<io_result<std::string>> identity(std::string path) override;

 private:
  task<io_result<FilePtr>> open_off_shard(std::string path, OpenMode mode);
  // What came of an open: a descriptor, or below 0 with its errno.
  io_result<FilePtr> opened(int descriptor, int error, std::string path);
  MountTraits& mount_of(int descriptor, dev_t device);

  IoPool& pool_;
  std::mutex mounts_mutex_;
  std::map<dev_t, std::unique_ptr<MountTraits>> mounts_;  // guarded by mounts_mutex_; entries stay
};

// A POSIX record lock on the whole file, as Java's FileChannel.tryLock takes it, so that Moldau and Apache Kafka respect
// each other's. The process's own second lock on a file is refused too. EWOULDBLOCK if it is held.
[[nodiscard]] io_result<std::unique_ptr<FileLock>> lock_file(const std::string& path);

}  // namespace moldau::runtime::real
