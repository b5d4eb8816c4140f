// IndexFile: a file of entries of one size, the ground under the offset and the time index.
//
// Like Kafka's, the file of the active segment has its full size from the start (a hole, so it costs nothing) and is
// cut to its entries when the segment is rolled or closed. New entries wait in a small buffer before they are written:
// after a crash the index of an active segment is built again anyway, so nothing is lost with them. Entries are read
// from the file, not mapped: an idle index costs no memory. Owned by a Segment, on its shard; whoever changes it holds the
// log's mutex, reading needs none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "storage/open_files.h"

namespace moldau::storage {

class IndexFile {
 public:
  IndexFile(OpenFiles& cache, uint32_t entry_size) : slot_(cache), entry_size_(entry_size) {}

  // Learns the number of entries of the file at `path` from its size; a missing file counts as empty. A size that is no
  // multiple of the entry is rounded down and reported by is_ragged(). False: another task has loaded it meanwhile. It counts as
  // loaded only when its owner has read what it keeps of the entries and says so: until then others wait by doing the same.
  runtime::task<runtime::io_result<bool>> load(std::string path);
  void note_loaded() { is_loaded_ = true; }
  // For a file that is known to be new or is about to be built again.
  void start_empty();
  [[nodiscard]] bool is_loaded() const { return is_loaded_; }
  [[nodiscard]] bool is_ragged() const { return is_ragged_; }

  [[nodiscard]] uint32_t entries() const { return written_ + static_cast<uint32_t>(pending_.size() / entry_size_); }

  void append(ByteView entry);
  [[nodiscard]] bool should_write() const { return pending_.size() >= pending_limit; }
  // Writes what waits. `full_size_bytes` is what the file is stretched to when it is opened for the first time.
  runtime::task<runtime::io_result<>> write_pending(std::string path, uint64_t full_size_bytes);

  // Copies entries [from, from + count) into `into`. EAGAIN if they are gone: the index was truncated meanwhile.
  runtime::task<runtime::io_result<>> read(std::string path, uint32_t from, uint32_t count, MutableByteView into);

  // Keeps the first `entries` of them.
  runtime::task<runtime::io_result<>> truncate(std::string path, uint32_t entries);
  // What lies behind the first `entries` are zeros of no meaning; the next trim() cuts them.
  void keep_written(uint32_t entries) {
    written_ = entries;
    is_stretched_ = true;
  }
  // Makes the file if it is not there, writes what waits and cuts the file to its entries.
  runtime::task<runtime::io_result<>> trim(std::string path);
  // Writes what waits and gives the file, for the caller to sync it; null if the index was never used.
  runtime::task<runtime::io_result<runtime::FilePtr>> settle(std::string path, uint64_t full_size_bytes);
  // Opens the file, if there is one, and keeps it open (CachedFile::keep_open).
  runtime::task<runtime::io_result<>> keep_open(std::string path);
  void close() { slot_.close(); }

 private:
  static constexpr size_t pending_limit = 768;  // bytes

  runtime::task<runtime::io_result<runtime::FilePtr>> file(std::string path, runtime::OpenMode mode);

  CachedFile slot_;
  uint32_t entry_size_;
  uint32_t written_ = 0;  // entries in the file
  bool is_loaded_ = false;
  bool is_ragged_ = false;
  bool is_stretched_ = false;  // the file may be longer than its entries
  bool exists_ = false;
  Bytes pending_;
};

}  // namespace moldau::storage
