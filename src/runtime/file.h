// Files as Moldau uses them: positioned reads and writes, every operation awaitable, no shared position.
//
// What is in the page cache is answered in the caller's turn; what is not, every flush, and making, renaming or removing a
// file run on an I/O thread while only the caller waits. A File has no mutable state of its own and may be read from several shards; the caller orders
// its writes. Paths are absolute or relative to the process's working directory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "runtime/io_error.h"
#include "runtime/task.h"

namespace moldau::runtime {

class File {
 public:
  virtual ~File() = default;

  [[nodiscard]] virtual const std::string& path() const = 0;

  // Reads until `into` is full or the file ends; gives the number of bytes read.
  virtual task<io_result<size_t>> read_at(uint64_t position, MutableByteView into) = 0;

  // The same without a task: the calling thread waits for the disk. For work that runs off the shard alone.
  virtual io_result<size_t> read_waiting(uint64_t position, MutableByteView into) = 0;

  // read_at for who reads much and once: what was not in the page cache is not kept there for it, where that can be known.
  virtual task<io_result<size_t>> read_once_at(uint64_t position, MutableByteView into) { return read_at(position, into); }

  // Writes all parts, one after the other, at `position`. On an error nothing is known about the bytes from `position`
  // on. The parts are not used after the task has finished.
  virtual task<io_result<>> write_at(uint64_t position, std::span<const ByteView> parts) = 0;

  // A few bytes over others that are there, in the caller's turn, which may wait: for what must be noted before anything else happens.
  virtual io_result<> write_waiting(uint64_t position, ByteView bytes) = 0;

  // Puts what was written on stable storage (fdatasync). After an error the file's contents are unknown: never retry.
  virtual task<io_result<>> sync() = 0;

  // The same for everything that was written on the file system that holds this file, names included (syncfs). A failed
  // write-back is told once to each open file, so whoever relies on this keeps one open all the time.
  virtual task<io_result<>> sync_file_system() = 0;

  // Cuts or extends (with zeros) to `size_bytes`.
  virtual task<io_result<>> truncate(uint64_t size_bytes) = 0;

  [[nodiscard]] virtual task<io_result<uint64_t>> size() = 0;

  // The descriptor for sendfile in runtime/real; -1 in the simulator.
  [[nodiscard]] virtual int native_handle() const { return -1; }
};

using FilePtr = std::shared_ptr<File>;

enum class OpenMode : uint8_t {
  read,           // must exist
  read_write,     // must exist
  create,         // read and write; made if missing, kept as it is if there
  create_new,     // read and write; EEXIST if there
  truncate,       // read and write; made if missing, emptied if there
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

struct FileStatus {
  uint64_t size_bytes = 0;
  int64_t modified_ms = 0;  // wall clock
  int64_t changed_ms = 0;   // of anything about it: unlike modified_ms nobody can set this
  bool is_directory = false;
};

// Of the file system that holds a path.
struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // for this user
};

// A lock on a file that other processes respect; released when destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual task<io_result<FilePtr>> open(std::string path, OpenMode mode) = 0;
  // Renames are atomic; they last once the directory has been synced.
  virtual task<io_result<>> rename(std::string from, std::string to) = 0;
  virtual task<io_result<>> remove(std::string path) = 0;              // a file or an empty directory; ENOENT if missing
  virtual task<io_result<>> create_directories(std::string path) = 0;  // with parents; no error if there
  virtual task<io_result<>> sync_directory(std::string path) = 0;
  virtual task<io_result<std::vector<DirectoryEntry>>> list(std::string path) = 0;  // sorted by name, without . and ..
  virtual task<io_result<FileStatus>> status(std::string path) = 0;    // ENOENT if missing
  virtual task<io_result<>> set_modified_ms(std::string path, int64_t modified_ms) = 0;
  // EWOULDBLOCK if another process holds it.
  virtual task<io_result<std::unique_ptr<FileLock>>> lock(std::string path) = 0;
  virtual task<io_result<DiskSpace>> space(std::string path) = 0;
  // What the path leads to, there or not: spellings, links and mounts that lead to one directory give the same text. Here
  // only the spellings.
  virtual task<io_result<std::string>> identity(std::string path);
};

// Reads a whole file of at most `limit_bytes`; EFBIG beyond.
task<io_result<Bytes>> read_file(FileSystem& files, std::string path, uint64_t limit_bytes = 1ULL << 30);

// Replaces `path` by `contents` so that a crash leaves the old or the new file whole: writes `path`.tmp, syncs it,
// renames it, syncs the directory. (Kafka's checkpoints are written this way.)
task<io_result<>> write_file_atomically(FileSystem& files, std::string path, Bytes contents);

// Makes a directory with its parents so that a crash does not take them away again: the directories that hold the new
// names are synced. Nothing is done if it is there.
task<io_result<>> make_directories(FileSystem& files, std::string path);

// Removes a directory and everything in it.
task<io_result<>> remove_tree(FileSystem& files, std::string path);

}  // namespace moldau::runtime
