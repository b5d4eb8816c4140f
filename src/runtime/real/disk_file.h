// Files of Linux: the page cache is answered at once, the rest by I/O threads.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "runtime/file.h"
#include "runtime/real/descriptor.h"
#include "runtime/real/io_pool.h"

namespace moldau::runtime::real {

// What one mounted file system can do; learnt by trying. Shared by its files, on all shards.
struct MountTraits {
  bool in_memory = false;               // tmpfs: a read never waits
  std::atomic<bool> read_nowait{true};  // preadv2(RWF_NOWAIT) works
  std::atomic<bool> write_nowait{true};
};

class DiskFile final : public File {
 public:
  DiskFile(std::string path, Descriptor descriptor, IoPool& pool, MountTraits& mount);
  ~DiskFile() override;

  [[nodiscard]] const std::string& path() const override { return path_; }
  task<io_result<size_t>> read_at(uint64_t position, MutableByteView into) override;
  io_result<size_t> read_waiting(uint64_t position, MutableByteView into) override;
  task<io_result<size_t>> read_once_at(uint64_t position, MutableByteView into) override;
  task<io_result<>> write_at(uint64_t position, std::span<const ByteView> parts) override;
  io_result<> write_waiting(uint64_t position, ByteView bytes) override;
  task<io_result<>> sync() override;
  task<io_result<>> sync_file_system() override;
  task<io_result<>> truncate(uint64_t size_bytes) override;
  [[nodiscard]] task<io_result<uint64_t>> size() override;
  [[nodiscard]] int native_handle() const override { return descriptor_.get(); }

  // Reads what is in the page cache without waiting: the number of bytes (0: the end), or minus an errno, -EAGAIN when
  // nothing at `position` is cached.
  [[nodiscard]] ssize_t read_cached(uint64_t position, MutableByteView into) const;
  // How many pages of this range are in the page cache; null if the system does not say.
  [[nodiscard]] std::optional<uint64_t> cached_pages(uint64_t position, uint64_t size_bytes) const;
  // Whether sendfile of this range would not wait for the disk.
  [[nodiscard]] bool is_cached(uint64_t position, uint64_t size_bytes) const;
  // Reads a range into the page cache on an I/O thread, where the disk may make it wait. Errors are left to who reads it next.
  [[nodiscard]] task<> bring_into_cache(uint64_t position, uint64_t size_bytes);

 private:
  task<io_result<size_t>> read_past_cache(uint64_t position, MutableByteView into);
  task<io_result<size_t>> read_rest(uint64_t position, MutableByteView into, size_t done);
  task<io_result<>> write_rest(uint64_t position, std::span<const ByteView> parts, size_t done);
  // Writes the bytes after the first `done`; adds to `done`; gives 0 or an errno.
  [[nodiscard]] int write_some(uint64_t position, std::span<const ByteView> parts, size_t& done, bool nowait) const;
  [[nodiscard]] std::unexpected<IoError> error(int number, const char* operation) const;

  std::string path_;
  Descriptor descriptor_;
  IoPool& pool_;
  MountTraits& mount_;
};

// Fills `into` as far as the file goes, waiting for the disk: the number of bytes, or minus an errno.
[[nodiscard]] ssize_t read_blocking(int descriptor, uint64_t position, MutableByteView into);

}  // namespace moldau::runtime::real
