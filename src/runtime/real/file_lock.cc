#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <mutex>
#include <set>
#include <utility>

#include "runtime/real/disk_file_system.h"

namespace moldau::runtime::real {

namespace {

// Record locks belong to the process: they do not keep its own second asker out, and go when any descriptor of the file
// is closed. So the process remembers what it has locked, and opens no file that is in this list.
using FileId = std::pair<dev_t, ino_t>;
std::mutex locked_mutex;
std::set<FileId>& locked_files() {
  static std::set<FileId> files;
  return files;
}

class RecordLock final : public FileLock {
 public:
  RecordLock(Descriptor descriptor, FileId id) : descriptor_(std::move(descriptor)), id_(id) {}
  ~RecordLock() override {
    const std::lock_guard guard(locked_mutex);
    descriptor_.reset();
    locked_files().erase(id_);
  }

 private:
  Descriptor descriptor_;
  FileId id_;
};

}  // namespace

io_result<std::unique_ptr<FileLock>> lock_file(const std::string& path) {
  const auto failed = [&](int number) { return fail(IoError{number, "lock", path}); };
  const std::lock_guard guard(locked_mutex);
  struct stat status {};
  // Looked at by name first: opening and closing a file that this process has locked would lose the lock.
  if (stat(path.c_str(), &status) == 0 && locked_files().contains({status.st_dev, status.st_ino})) return failed(EWOULDBLOCK);
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!descriptor.valid() || fstat(descriptor.get(), &status) != 0) return failed(errno);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(descriptor.get(), F_SETLK, &whole) != 0) return failed(errno == EACCES ? EWOULDBLOCK : errno);
  const FileId id{status.st_dev, status.st_ino};
  locked_files().insert(id);
  return std::make_unique<RecordLock>(std::move(descriptor), id);
}

}  // namespace moldau::runtime::real
