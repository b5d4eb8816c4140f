#include "runtime/real/disk_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace moldau::runtime::real {

namespace {

template <class T = void>
task<io_result<T>> failed(int number, const char* operation, std::string subject) {
  return ready(io_result<T>(fail(IoError{number, operation, std::move(subject)})));
}

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::read: return O_RDONLY | O_CLOEXEC;
    case OpenMode::read_write: return O_RDWR | O_CLOEXEC;
    case OpenMode::create: return O_RDWR | O_CREAT | O_CLOEXEC;
    case OpenMode::create_new: return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    case OpenMode::truncate: return O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
  }
  MOLDAU_UNREACHABLE("an open mode that does not exist");
}

int sync_directory_now(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return errno;
  return fsync(directory.get()) == 0 ? 0 : errno;
}

int make_directories(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
    if (mkdir(path.substr(0, end).c_str(), 0755) != 0 && errno != EEXIST) return errno;
  if (mkdir(path.c_str(), 0755) == 0) return 0;
  if (errno != EEXIST) return errno;
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return errno;
  return S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
}

}  // namespace

MountTraits& DiskFileSystem::mount_of(int descriptor, dev_t device) {
  const std::lock_guard lock(mounts_mutex_);
  std::unique_ptr<MountTraits>& mount = mounts_[device];
  if (!mount) {
    mount = std::make_unique<MountTraits>();
    struct statfs about {};
    mount->in_memory =
        fstatfs(descriptor, &about) == 0 && (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC);
  }
  return *mount;
}

// A file that is there is opened at once; to make or empty one takes the file system longer than a shard may wait.
task<io_result<FilePtr>> DiskFileSystem::open(std::string path, OpenMode mode) {
  if (mode == OpenMode::create_new || mode == OpenMode::truncate) return open_off_shard(std::move(path), mode);
  const int descriptor = ::open(path.c_str(), open_flags(mode) & ~O_CREAT);
  if (descriptor < 0 && errno == ENOENT && mode == OpenMode::create) return open_off_shard(std::move(path), mode);
  return ready(opened(descriptor, errno, std::move(path)));
}

task<io_result<FilePtr>> DiskFileSystem::open_off_shard(std::string path, OpenMode mode) {
  int error = 0;
  const int descriptor = co_await on_io_thread(pool_, Lane::quick, [&] {
    const int number = ::open(path.c_str(), open_flags(mode), 0644);
    error = errno;
    return number;
  });
  co_return opened(descriptor, error, std::move(path));
}

io_result<FilePtr> DiskFileSystem::opened(int number, int open_error, std::string path) {
  Descriptor descriptor(number);
  if (!descriptor.valid()) return fail(IoError{open_error, "open", std::move(path)});
  struct stat status {};
  if (fstat(descriptor.get(), &status) != 0) return fail(IoError{errno, "stat", std::move(path)});
  if (S_ISDIR(status.st_mode)) return fail(IoError{EISDIR, "open", std::move(path)});
  MountTraits& mount = mount_of(descriptor.get(), status.st_dev);
  return std::make_shared<DiskFile>(std::move(path), std::move(descriptor), pool_, mount);
}

task<io_result<>> DiskFileSystem::rename(std::string from, std::string to) {
  const int error = co_await on_io_thread(pool_, Lane::quick,
                                          [&] { return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno; });
  if (error != 0) co_return fail(IoError{error, "rename", from + " to " + to});
  co_return io_result<>{};
}

task<io_result<>> DiskFileSystem::remove(std::string path) {
  const int error =
      co_await on_io_thread(pool_, Lane::quick, [&] { return ::remove(path.c_str()) == 0 ? 0 : errno; });
  if (error != 0) co_return fail(IoError{error, "remove", path});
  co_return io_result<>{};
}

task<io_result<>> DiskFileSystem::create_directories(std::string path) {
  if (const int error = make_directories(path)) return failed(error, "create", std::move(path));
  return ready(io_result<>{});
}

task<io_result<>> DiskFileSystem::sync_directory(std::string path) {
  const int error = co_await on_io_thread(pool_, Lane::flush, [&] { return sync_directory_now(path); });
  if (error != 0) co_return fail(IoError{error, "fsync", path});
  co_return io_result<>{};
}

task<io_result<std::vector<DirectoryEntry>>> DiskFileSystem::list(std::string path) {
  std::vector<DirectoryEntry> entries;
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return failed<std::vector<DirectoryEntry>>(errno, "list", std::move(path));
  int error = 0;
  while (true) {
    errno = 0;
    const dirent* const found = readdir(directory);
    if (found == nullptr) {
      error = errno;
      break;
    }
    if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
    bool is_directory = found->d_type == DT_DIR;
    if (found->d_type == DT_UNKNOWN || found->d_type == DT_LNK) {
      struct stat status {};
      is_directory = fstatat(dirfd(directory), found->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
    }
    entries.push_back({found->d_name, is_directory});
  }
  closedir(directory);
  if (error != 0) return failed<std::vector<DirectoryEntry>>(error, "list", std::move(path));
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return ready(io_result<std::vector<DirectoryEntry>>(std::move(entries)));
}

task<io_result<FileStatus>> DiskFileSystem::status(std::string path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return failed<FileStatus>(errno, "stat", std::move(path));
  return ready(io_result<FileStatus>(FileStatus{.size_bytes = static_cast<uint64_t>(found.st_size),
                                                .modified_ms = found.st_mtim.tv_sec * 1000 + found.st_mtim.tv_nsec / 1'000'000,
                                                .changed_ms = found.st_ctim.tv_sec * 1000 + found.st_ctim.tv_nsec / 1'000'000,
                                                .is_directory = S_ISDIR(found.st_mode)}));
}

task<io_result<>> DiskFileSystem::set_modified_ms(std::string path, int64_t modified_ms) {
  const int64_t milliseconds = ((modified_ms % 1000) + 1000) % 1000;
  const timespec modified{.tv_sec = (modified_ms - milliseconds) / 1000, .tv_nsec = milliseconds * 1'000'000};
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
  if (utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) return failed(errno, "set the time of", std::move(path));
  return ready(io_result<>{});
}

task<io_result<std::unique_ptr<FileLock>>> DiskFileSystem::lock(std::string path) { return ready(lock_file(path)); }

task<io_result<DiskSpace>> DiskFileSystem::space(std::string path) {
  struct statvfs about {};
  if (statvfs(path.c_str(), &about) != 0) return failed<DiskSpace>(errno, "stat the file system of", std::move(path));
  return ready(io_result<DiskSpace>(DiskSpace{.total_bytes = static_cast<uint64_t>(about.f_blocks) * about.f_frsize,
                                              .free_bytes = static_cast<uint64_t>(about.f_bavail) * about.f_frsize}));
}

// The device and inode of what is there, and the names of what is not.
task<io_result<std::string>> DiskFileSystem::identity(std::string path) {
  std::error_code error;
  std::filesystem::path there = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  if (error) return failed<std::string>(error.value(), "resolve", std::move(path));
  if (!there.has_filename() && there.has_relative_path()) there = there.parent_path();  // a slash at the end
  std::string missing;
  struct stat found {};
  while (stat(there.c_str(), &found) != 0) {
    if (errno != ENOENT || !there.has_relative_path()) return failed<std::string>(errno, "stat", there.string());
    missing = "/" + there.filename().string() + missing;
    there = there.parent_path();
  }
  return ready(io_result<std::string>(fmt::format("{}:{}{}", found.st_dev, found.st_ino, missing)));
}

}  // namespace moldau::runtime::real
