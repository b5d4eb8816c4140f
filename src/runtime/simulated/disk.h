// A disk with a page cache over it, as a power cut sees them. Plain state: no time, no tasks (file_system.h adds those).
//
// A file has its bytes as programs see them and its bytes as the medium holds them; sync moves the difference. A crash
// keeps what was synced and, of the rest, any choice of 512-byte sectors and any size on the way; a truncation that was
// not synced may be undone, with everything after it. A directory's changes since its last sync survive as any prefix of
// them; a rename within a directory is one change. (A rename from one directory to another is two.) A failed sync leaves
// its pages looking clean: they stay readable until the crash, and no later sync writes them (as Linux does, see Rebello
// et al., "Can applications recover from fsync failures?", 2020).
//
// Owned by a Node and kept across its crashes. Paths: `a/b` and `/a/b` are the same.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "runtime/file.h"
#include "runtime/simulated/random.h"
#include "runtime/simulated/sector_set.h"

namespace moldau::runtime::simulated {

// What a file's sync covers: what had been written when it began.
struct SyncUnderWay {
  SectorSet sectors;
  uint64_t size_bytes = 0;
  uint64_t least_size_bytes = 0;
};

struct Inode {
  bool is_directory = false;
  int64_t modified_ms = 0;
  int64_t changed_ms = 0;

  // Of a file:
  Bytes seen;                     // what reads give
  Bytes kept;                     // what the medium holds
  SectorSet dirty;                // in `seen` and maybe not in `kept`
  uint64_t least_size_bytes = 0;  // since the last sync began: below kept.size() a truncation waits
  std::list<SyncUnderWay> syncs;

  // Of a directory:
  using Entries = std::map<std::string, std::shared_ptr<Inode>>;
  struct Change {
    std::string removed;  // empty: none
    std::string added;    // empty: none
    std::shared_ptr<Inode> inode;
  };
  Entries entries;
  Entries kept_entries;
  std::vector<Change> changes;  // from kept_entries to entries
};
using InodePtr = std::shared_ptr<Inode>;

class Disk {
 public:
  Disk();

  // Each gives 0 or an errno.
  int open(const std::string& path, OpenMode mode, int64_t now_ms, InodePtr& opened);
  int rename(const std::string& from, const std::string& to);
  int remove(const std::string& path);
  int create_directories(const std::string& path);
  int sync_directory(const std::string& path);
  int list(const std::string& path, std::vector<DirectoryEntry>& entries) const;
  int status(const std::string& path, FileStatus& status) const;
  int set_modified_ms(const std::string& path, int64_t modified_ms);
  int find(const std::string& path, InodePtr& found) const;

  [[nodiscard]] static size_t read(const Inode& file, uint64_t position, MutableByteView into);
  // ENOSPC after as many bytes as fit.
  int write(Inode& file, uint64_t position, ByteView bytes, int64_t now_ms);
  int truncate(Inode& file, uint64_t size_bytes, int64_t now_ms);

  // A sync begins, and later ends well or badly; `sync` does both at once.
  [[nodiscard]] static SyncUnderWay& begin_sync(Inode& file);
  static void end_sync(Inode& file, SyncUnderWay& sync);
  static void fail_sync(Inode& file, SyncUnderWay& sync);
  static void sync(Inode& file) { end_sync(file, begin_sync(file)); }

  // Every file that has a name, in the order of the names.
  [[nodiscard]] std::vector<InodePtr> every_file() const;
  void sync_all_directories();

  // The power goes: of what was not synced, `random` decides.
  void crash(Random& random);

  // The running process ends, the page cache stays: its locks go, its syncs under way come to nothing.
  void end_of_process();

  // Turns one bit over, in the page cache and on the medium.
  void flip_bit(const std::string& path, uint64_t byte, int bit);
  // Every file below `path`, sorted.
  [[nodiscard]] std::vector<std::string> files(const std::string& path = "") const;

  uint64_t capacity_bytes = UINT64_MAX;
  [[nodiscard]] uint64_t used_bytes() const;
  [[nodiscard]] uint64_t free_bytes() const;

  // Files that the running node has locked.
  std::set<const Inode*> locked;

 private:
  // The directory that holds the last name of `path`.
  int parent_of(const std::string& path, InodePtr& parent, std::string& name) const;

  InodePtr root_;
};

}  // namespace moldau::runtime::simulated
