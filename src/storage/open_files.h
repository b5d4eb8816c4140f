// OpenFiles: at most so many open files for all the logs of a shard; the one that was used longest ago is closed first.
//
// A log with a thousand segments, or ten thousand idle logs, hold no descriptors of their own: each segment file has a
// CachedFile, a slot that opens its file when it is needed. Whoever holds a FilePtr keeps that file open, also when the
// cache has dropped it. One per shard, used on that shard only; it outlives its slots.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/file.h"

namespace moldau::storage {

class CachedFile;

class OpenFiles {
 public:
  OpenFiles(runtime::FileSystem& files, size_t limit);
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  ~OpenFiles();

  [[nodiscard]] runtime::FileSystem& files() { return files_; }
  [[nodiscard]] size_t open_count() const { return open_count_; }
  [[nodiscard]] size_t limit() const { return limit_; }

 private:
  friend CachedFile;
  void touch(CachedFile& slot);
  void insert(CachedFile& slot);
  void remove(CachedFile& slot);

  runtime::FileSystem& files_;
  size_t limit_;
  size_t open_count_ = 0;
  CachedFile* newest_ = nullptr;
  CachedFile* oldest_ = nullptr;
};

class CachedFile {
 public:
  explicit CachedFile(OpenFiles& cache) : cache_(&cache) {}
  CachedFile(const CachedFile&) = delete;
  CachedFile& operator=(const CachedFile&) = delete;
  ~CachedFile() { close(); }

  // Null when the file is not open at the moment.
  [[nodiscard]] runtime::FilePtr if_open() {
    if (file_ != nullptr && !is_kept_) cache_->touch(*this);
    return file_;
  }
  // Opens the file at `path` and keeps it, perhaps closing another one. If two tasks open at once, one handle is kept.
  runtime::task<runtime::io_result<runtime::FilePtr>> open(std::string path, runtime::OpenMode mode);
  // From now on, and until close(), the file stays open whatever else is opened, and counts no longer: for a file that is
  // about to lose its name while somebody may read it.
  void keep_open();
  // Forgets the file: before it is renamed or removed, and when the slot goes.
  void close();
  [[nodiscard]] runtime::FileSystem& files() { return cache_->files(); }

 private:
  friend OpenFiles;
  OpenFiles* cache_;
  runtime::FilePtr file_;
  bool is_kept_ = false;
  CachedFile* newer_ = nullptr;
  CachedFile* older_ = nullptr;
};

}  // namespace moldau::storage
