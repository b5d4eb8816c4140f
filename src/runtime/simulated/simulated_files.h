// The files of one simulated process, over its node's Disk. Each operation takes effect in the caller's turn or later,
// as the dice say.
#pragma once

#include "runtime/file.h"
#include "runtime/simulated/world.h"

namespace moldau::runtime::simulated {

class SimulatedFiles final : public FileSystem {
 public:
  explicit SimulatedFiles(SimulatedEnvironment& environment) : environment_(environment) {}

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

 private:
  SimulatedEnvironment& environment_;
};

class SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedEnvironment& environment, std::string path, InodePtr inode, bool writable)
      : environment_(environment), path_(std::move(path)), inode_(std::move(inode)), writable_(writable) {}

  [[nodiscard]] const std::string& path() const override { return path_; }
  task<io_result<size_t>> read_at(uint64_t position, MutableByteView into) override;
  io_result<size_t> read_waiting(uint64_t position, MutableByteView into) override { return read_now(position, into); }
  task<io_result<>> write_at(uint64_t position, std::span<const ByteView> parts) override;
  io_result<> write_waiting(uint64_t position, ByteView bytes) override { return write_now(position, {&bytes, 1}); }
  task<io_result<>> sync() override;
  task<io_result<>> sync_file_system() override;
  task<io_result<>> truncate(uint64_t size_bytes) override;
  [[nodiscard]] task<io_result<uint64_t>> size() override;

  [[nodiscard]] const Inode& inode() const { return *inode_; }

 private:
  io_result<size_t> read_now(uint64_t position, MutableByteView into);
  void write_some_now(uint64_t position, std::span<const ByteView> parts);
  io_result<> write_now(uint64_t position, std::span<const ByteView> parts);
  task<io_result<size_t>> read_later(uint64_t position, MutableByteView into, int64_t delay_us);
  task<io_result<>> write_later(uint64_t position, std::span<const ByteView> parts, int64_t delay_us);
  [[nodiscard]] bool draw_failed_sync();
  task<io_result<>> answer_later(io_result<> outcome, int64_t delay_us);

  SimulatedEnvironment& environment_;
  std::string path_;
  InodePtr inode_;
  bool writable_;
};

}  // namespace moldau::runtime::simulated
