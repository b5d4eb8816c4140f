#include "runtime/simulated/simulated_files.h"

#include <cerrno>

#include "base/crc32c.h"
#include "runtime/simulated/simulated_environment.h"

namespace moldau::runtime::simulated {

namespace {

// How long the next operation takes; 0: it finishes in the caller's turn.
int64_t choose_delay(SimulatedEnvironment& environment) {
  const DiskFaults& faults = environment.node().disk_faults;
  Random& random = environment.world().random();
  if (random.chance(faults.slow)) return random.between(1, faults.slow_us_max);
  return random.chance(faults.later) ? random.between(1, faults.latency_us_max) : 0;
}

template <class T = void>
io_result<T> failed(int number, const char* operation, const std::string& subject) {
  return fail(IoError{number, operation, subject});
}
io_result<> outcome_of(int number, const char* operation, const std::string& subject) {
  if (number != 0) return failed(number, operation, subject);
  return {};
}

// Gives `outcome` now or later. What an operation on names does, it does at once; only the answer may take its time.
template <class T>
task<io_result<T>> give_later(io_result<T> outcome, int64_t delay_us) {
  co_await later(delay_us);
  co_return outcome;
}
template <class T>
task<io_result<T>> give(SimulatedEnvironment& environment, io_result<T> outcome) {
  const int64_t delay_us = choose_delay(environment);
  if (delay_us == 0) return ready(std::move(outcome));
  return give_later(std::move(outcome), delay_us);
}

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(Disk& disk, InodePtr inode) : disk_(disk), inode_(std::move(inode)) { disk_.locked.insert(inode_.get()); }
  ~SimulatedLock() override { disk_.locked.erase(inode_.get()); }

 private:
  Disk& disk_;
  InodePtr inode_;
};

}  // namespace

task<io_result<FilePtr>> SimulatedFiles::open(std::string path, OpenMode mode) {
  InodePtr inode;
  Node& node = environment_.node();
  int error = node.disk.open(path, mode, environment_.wall_clock_ms(), inode);
  if (error == 0 && inode->is_directory) error = EISDIR;
  environment_.world().trace("open", path, static_cast<uint64_t>(mode), static_cast<uint64_t>(error));
  if (error != 0) return give(environment_, failed<FilePtr>(error, "open", path));
  return give(environment_, io_result<FilePtr>(std::make_shared<SimulatedFile>(environment_, std::move(path), std::move(inode),
                                                                               mode != OpenMode::read)));
}

task<io_result<>> SimulatedFiles::rename(std::string from, std::string to) {
  const int error = environment_.node().disk.rename(from, to);
  environment_.world().trace("rename", from + " to " + to, static_cast<uint64_t>(error));
  return give(environment_, outcome_of(error, "rename", from + " to " + to));
}

task<io_result<>> SimulatedFiles::remove(std::string path) {
  const int error = environment_.node().disk.remove(path);
  environment_.world().trace("remove", path, static_cast<uint64_t>(error));
  return give(environment_, outcome_of(error, "remove", path));
}

task<io_result<>> SimulatedFiles::create_directories(std::string path) {
  const int error = environment_.node().disk.create_directories(path);
  environment_.world().trace("mkdir", path, static_cast<uint64_t>(error));
  return give(environment_, outcome_of(error, "create", path));
}

task<io_result<>> SimulatedFiles::sync_directory(std::string path) {
  // At the end of its time: a crash in between finds it not done.
  co_await later(choose_delay(environment_) + 1);
  const int error = environment_.node().disk.sync_directory(path);
  environment_.world().trace("sync directory", path, static_cast<uint64_t>(error));
  co_return outcome_of(error, "fsync", path);
}

task<io_result<std::vector<DirectoryEntry>>> SimulatedFiles::list(std::string path) {
  std::vector<DirectoryEntry> entries;
  if (const int error = environment_.node().disk.list(path, entries))
    return give(environment_, failed<std::vector<DirectoryEntry>>(error, "list", path));
  return give(environment_, io_result<std::vector<DirectoryEntry>>(std::move(entries)));
}

task<io_result<FileStatus>> SimulatedFiles::status(std::string path) {
  FileStatus status;
  if (const int error = environment_.node().disk.status(path, status))
    return give(environment_, failed<FileStatus>(error, "stat", path));
  return give(environment_, io_result<FileStatus>(status));
}

task<io_result<>> SimulatedFiles::set_modified_ms(std::string path, int64_t modified_ms) {
  return give(environment_, outcome_of(environment_.node().disk.set_modified_ms(path, modified_ms), "set the time of", path));
}

task<io_result<std::unique_ptr<FileLock>>> SimulatedFiles::lock(std::string path) {
  using Lock = std::unique_ptr<FileLock>;
  Disk& disk = environment_.node().disk;
  InodePtr inode;
  if (const int error = disk.open(path, OpenMode::create, environment_.wall_clock_ms(), inode))
    return give(environment_, failed<Lock>(error, "lock", path));
  if (disk.locked.contains(inode.get())) return give(environment_, failed<Lock>(EWOULDBLOCK, "lock", path));
  return give(environment_, io_result<Lock>(std::make_unique<SimulatedLock>(disk, std::move(inode))));
}

task<io_result<DiskSpace>> SimulatedFiles::space(std::string path) {
  FileStatus status;
  Disk& disk = environment_.node().disk;
  if (const int error = disk.status(path, status)) return give(environment_, failed<DiskSpace>(error, "stat the file system of", path));
  return give(environment_, io_result<DiskSpace>(DiskSpace{.total_bytes = disk.capacity_bytes, .free_bytes = disk.free_bytes()}));
}

io_result<size_t> SimulatedFile::read_now(uint64_t position, MutableByteView into) {
  if (environment_.world().random().chance(environment_.node().disk_faults.read_error)) return failed<size_t>(EIO, "read", path_);
  return Disk::read(*inode_, position, into);
}

task<io_result<size_t>> SimulatedFile::read_at(uint64_t position, MutableByteView into) {
  const int64_t delay_us = choose_delay(environment_);
  if (delay_us == 0) return ready(read_now(position, into));
  return read_later(position, into, delay_us);
}

task<io_result<size_t>> SimulatedFile::read_later(uint64_t position, MutableByteView into, int64_t delay_us) {
  co_await later(delay_us);
  co_return read_now(position, into);
}

io_result<> SimulatedFile::write_now(uint64_t position, std::span<const ByteView> parts) {
  if (!writable_) return failed(EBADF, "write", path_);
  Node& node = environment_.node();
  World& world = environment_.world();
  const bool breaks = world.random().chance(node.disk_faults.write_error);
  uint32_t crc = 0;
  const uint64_t start = position;
  for (ByteView part : parts) {
    if (breaks && world.random().chance(0.5)) part = part.first(world.random().below(part.size() + 1));
    const int error = node.disk.write(*inode_, position, part, environment_.wall_clock_ms());
    crc = crc32c(part, crc);
    position += part.size();
    if (world.random().chance(node.disk_faults.written_back)) Disk::sync(*inode_);
    if (error != 0) {
      world.trace("write fails", path_, start, static_cast<uint64_t>(error));
      return failed(error, "write", path_);
    }
    if (breaks && world.random().chance(0.5)) break;
  }
  world.trace(breaks ? "write breaks" : "write", path_, start, (position - start) << 32 | crc);
  return outcome_of(breaks ? EIO : 0, "write", path_);
}

task<io_result<>> SimulatedFile::write_at(uint64_t position, std::span<const ByteView> parts) {
  const int64_t delay_us = choose_delay(environment_);
  if (delay_us == 0) return ready(write_now(position, parts));
  // The bytes reach the page cache at the beginning or at the end of the operation, or some at either; a crash in between
  // tells.
  Random& random = environment_.world().random();
  if (random.chance(0.4)) return answer_later(write_now(position, parts), delay_us);
  if (random.chance(0.3)) write_some_now(position, parts);
  return write_later(position, parts, delay_us);
}

void SimulatedFile::write_some_now(uint64_t position, std::span<const ByteView> parts) {
  if (!writable_) return;
  Node& node = environment_.node();
  size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  uint64_t left = environment_.world().random().below(size + 1);
  environment_.world().trace("write in part", path_, position, left);
  for (ByteView part : parts) {
    part = part.first(std::min<size_t>(part.size(), left));
    if (node.disk.write(*inode_, position, part, environment_.wall_clock_ms()) != 0) return;
    position += part.size();
    left -= part.size();
  }
}

task<io_result<>> SimulatedFile::write_later(uint64_t position, std::span<const ByteView> parts, int64_t delay_us) {
  co_await later(delay_us);
  co_return write_now(position, parts);
}

task<io_result<>> SimulatedFile::answer_later(io_result<> outcome, int64_t delay_us) {
  co_await later(delay_us);
  co_return outcome;
}

bool SimulatedFile::draw_failed_sync() {
  DiskFaults& faults = environment_.node().disk_faults;
  const bool fails = environment_.world().random().chance(faults.sync_error);
  if (faults.fail_next_syncs == 0) return fails;
  --faults.fail_next_syncs;
  return true;
}

task<io_result<>> SimulatedFile::sync() {
  SyncUnderWay& sync = Disk::begin_sync(*inode_);
  co_await later(choose_delay(environment_) + 1);
  const bool fails = draw_failed_sync();
  environment_.world().trace(fails ? "sync fails" : "sync", path_, inode_->seen.size());
  if (fails)
    Disk::fail_sync(*inode_, sync);
  else
    Disk::end_sync(*inode_, sync);
  co_return outcome_of(fails ? EIO : 0, "fsync", path_);
}

// Directories too: what they hold when it ends is kept, which is no less than what they held when it began.
task<io_result<>> SimulatedFile::sync_file_system() {
  Disk& disk = environment_.node().disk;
  std::vector<std::pair<InodePtr, SyncUnderWay*>> under_way;
  for (InodePtr& file : disk.every_file()) {
    SyncUnderWay& sync = Disk::begin_sync(*file);
    under_way.emplace_back(std::move(file), &sync);
  }
  co_await later(choose_delay(environment_) + 1);
  const bool fails = draw_failed_sync();
  environment_.world().trace(fails ? "sync of all fails" : "sync of all", path_, under_way.size());
  for (const auto& [file, sync] : under_way) {
    if (fails)
      Disk::fail_sync(*file, *sync);
    else
      Disk::end_sync(*file, *sync);
  }
  if (!fails) disk.sync_all_directories();
  co_return outcome_of(fails ? EIO : 0, "syncfs", path_);
}

task<io_result<>> SimulatedFile::truncate(uint64_t size_bytes) {
  const int error = environment_.node().disk.truncate(*inode_, size_bytes, environment_.wall_clock_ms());
  environment_.world().trace("truncate", path_, size_bytes, static_cast<uint64_t>(error));
  return give(environment_, outcome_of(error, "truncate", path_));
}

task<io_result<uint64_t>> SimulatedFile::size() { return give(environment_, io_result<uint64_t>(inode_->seen.size())); }

}  // namespace moldau::runtime::simulated
