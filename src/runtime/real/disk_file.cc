#include "runtime/real/disk_file.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>

namespace moldau::runtime::real {

namespace {

// More than this is copied on an I/O thread: a memory copy of this size takes about a millisecond.
constexpr size_t inline_limit_bytes = 4u << 20;
constexpr int vectors_at_once = 64;

size_t total_size(std::span<const ByteView> parts) {
  size_t size = 0;
  for (const ByteView& part : parts) size += part.size();
  return size;
}

// The bytes of `parts` after the first `skip`, as vectors; gives how many vectors.
int gather(std::span<const ByteView> parts, size_t skip, iovec (&vectors)[vectors_at_once]) {
  int count = 0;
  for (const ByteView& part : parts) {
    if (skip >= part.size()) {
      skip -= part.size();
      continue;
    }
    if (count == vectors_at_once) break;
    vectors[count++] = {const_cast<std::byte*>(part.data()) + skip, part.size() - skip};
    skip = 0;
  }
  return count;
}

bool cannot_nowait(int error) { return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL; }

}  // namespace

ssize_t read_blocking(int descriptor, uint64_t position, MutableByteView into) {
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = pread(descriptor, into.data() + done, into.size() - done, static_cast<off_t>(position + done));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    done += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

DiskFile::DiskFile(std::string path, Descriptor descriptor, IoPool& pool, MountTraits& mount)
    : path_(std::move(path)), descriptor_(std::move(descriptor)), pool_(pool), mount_(mount) {}

DiskFile::~DiskFile() = default;

std::unexpected<IoError> DiskFile::error(int number, const char* operation) const {
  return fail(IoError{number, operation, path_});
}

ssize_t DiskFile::read_cached(uint64_t position, MutableByteView into) const {
  iovec vector{into.data(), into.size()};
  while (true) {
    const bool nowait = mount_.read_nowait.load(std::memory_order_relaxed);
    if (!nowait && !mount_.in_memory) return -EAGAIN;
    const ssize_t n = preadv2(descriptor_.get(), &vector, 1, static_cast<off_t>(position), nowait ? RWF_NOWAIT : 0);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if (nowait && cannot_nowait(errno)) {
      mount_.read_nowait = false;
      continue;
    }
    return -errno;
  }
}

std::optional<uint64_t> DiskFile::cached_pages(uint64_t position, uint64_t size_bytes) const {
  constexpr long cachestat_call = 451;  // Linux 6.5
  struct {
    uint64_t offset, size;
  } range{position, size_bytes};
  struct {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
  } found{};
  if (syscall(cachestat_call, descriptor_.get(), &range, &found, 0) != 0) return std::nullopt;
  return found.cached;
}

bool DiskFile::is_cached(uint64_t position, uint64_t size_bytes) const {
  MOLDAU_ASSERT(size_bytes > 0);
  if (mount_.in_memory) return true;
  const auto cached = cached_pages(position, size_bytes);
  if (!cached) return true;  // then sendfile may wait
  const uint64_t page = 4096;
  const uint64_t end = position + size_bytes;
  if (*cached < (end + page - 1) / page - position / page) return false;
  // A page counts from when the system begins to read it. It reads ahead in order: the last page tells.
  std::byte last;
  return read_cached(end - 1, {&last, 1}) != -EAGAIN || !mount_.read_nowait.load(std::memory_order_relaxed);
}

task<> DiskFile::bring_into_cache(uint64_t position, uint64_t size_bytes) {
  co_await on_io_thread(pool_, Lane::quick, [&] {
    // Sent to nowhere, pages are waited for but not copied.
    const Descriptor nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
    off_t at = static_cast<off_t>(position);
    uint64_t left = size_bytes;
    while (left > 0) {
      const ssize_t n = sendfile(nowhere.get(), descriptor_.get(), &at, left);
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) return;
      if (n < 0) break;
      left -= static_cast<uint64_t>(n);
    }
    if (left == 0) return;
    const auto bytes = std::make_unique_for_overwrite<std::byte[]>(left);
    (void)read_blocking(descriptor_.get(), static_cast<uint64_t>(at), {bytes.get(), left});
  });
}

task<io_result<size_t>> DiskFile::read_once_at(uint64_t position, MutableByteView into) {
  if (mount_.in_memory || into.empty() || cached_pages(position, into.size()) != 0) return read_at(position, into);
  return read_past_cache(position, into);
}

// Through a descriptor of its own, whose read-ahead brings nothing in that others might take for wanted.
task<io_result<size_t>> DiskFile::read_past_cache(uint64_t position, MutableByteView into) {
  const ssize_t n = co_await on_io_thread(pool_, Lane::quick, [&]() -> ssize_t {
    const Descriptor own(open(("/proc/self/fd/" + std::to_string(descriptor_.get())).c_str(), O_RDONLY | O_CLOEXEC));
    if (own.get() < 0) return read_blocking(descriptor_.get(), position, into);
    (void)posix_fadvise(own.get(), 0, 0, POSIX_FADV_RANDOM);
    const ssize_t got = read_blocking(own.get(), position, into);
    (void)posix_fadvise(own.get(), static_cast<off_t>(position), static_cast<off_t>(into.size()), POSIX_FADV_DONTNEED);
    return got;
  });
  if (n < 0) co_return error(static_cast<int>(-n), "read");
  co_return static_cast<size_t>(n);
}

task<io_result<size_t>> DiskFile::read_at(uint64_t position, MutableByteView into) {
  if (into.size() > inline_limit_bytes) return read_rest(position, into, 0);
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = read_cached(position + done, into.subspan(done));
    if (n == 0) break;
    if (n == -EAGAIN) return read_rest(position, into, done);
    if (n < 0) return ready(io_result<size_t>(error(static_cast<int>(-n), "read")));
    done += static_cast<size_t>(n);
  }
  return ready(io_result<size_t>(done));
}

io_result<size_t> DiskFile::read_waiting(uint64_t position, MutableByteView into) {
  // A shard that wakes on this core would else wait until everything is read: many kernels leave a call to nobody before its end.
  constexpr size_t piece_bytes = 128 << 10;
  size_t done = 0;
  while (done < into.size()) {
    std::this_thread::yield();
    const MutableByteView piece = into.subspan(done, std::min(piece_bytes, into.size() - done));
    const ssize_t n = read_blocking(descriptor_.get(), position + done, piece);
    if (n < 0) return error(static_cast<int>(-n), "read");
    done += static_cast<size_t>(n);
    if (static_cast<size_t>(n) < piece.size()) break;
  }
  return done;
}

task<io_result<size_t>> DiskFile::read_rest(uint64_t position, MutableByteView into, size_t done) {
  const ssize_t n = co_await on_io_thread(
      pool_, Lane::quick, [&] { return read_blocking(descriptor_.get(), position + done, into.subspan(done)); });
  if (n < 0) co_return error(static_cast<int>(-n), "read");
  co_return done + static_cast<size_t>(n);
}

int DiskFile::write_some(uint64_t position, std::span<const ByteView> parts, size_t& done, bool nowait) const {
  iovec vectors[vectors_at_once];
  while (true) {
    const int count = gather(parts, done, vectors);
    if (count == 0) return 0;
    const ssize_t n =
        pwritev2(descriptor_.get(), vectors, count, static_cast<off_t>(position + done), nowait ? RWF_NOWAIT : 0);
    if (n >= 0) {
      if (n == 0) return EIO;
      done += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

// Buffered writes of file systems that know no RWF_NOWAIT (ext4) are made in the caller's turn all the same: they copy
// into the page cache, and a thread's hand-over costs several times more than that.
task<io_result<>> DiskFile::write_at(uint64_t position, std::span<const ByteView> parts) {
  size_t done = 0;
  if (total_size(parts) > inline_limit_bytes) return write_rest(position, parts, 0);
  if (mount_.write_nowait.load(std::memory_order_relaxed)) {
    const int nowait_error = write_some(position, parts, done, true);
    if (nowait_error == 0) return ready(io_result<>{});
    if (nowait_error == EAGAIN) return write_rest(position, parts, done);
    if (!cannot_nowait(nowait_error)) return ready(io_result<>(error(nowait_error, "write")));
    mount_.write_nowait = false;
  }
  if (const int failed = write_some(position, parts, done, false)) return ready(io_result<>(error(failed, "write")));
  return ready(io_result<>{});
}

task<io_result<>> DiskFile::write_rest(uint64_t position, std::span<const ByteView> parts, size_t done) {
  const int failed =
      co_await on_io_thread(pool_, Lane::quick, [&] { return write_some(position, parts, done, false); });
  if (failed != 0) co_return error(failed, "write");
  co_return io_result<>{};
}

io_result<> DiskFile::write_waiting(uint64_t position, ByteView bytes) {
  size_t done = 0;
  if (const int failed = write_some(position, {&bytes, 1}, done, false)) return error(failed, "write");
  return {};
}

task<io_result<>> DiskFile::sync() {
  const int failed =
      co_await on_io_thread(pool_, Lane::flush, [&] { return fdatasync(descriptor_.get()) == 0 ? 0 : errno; });
  if (failed != 0) co_return error(failed, "fsync");
  co_return io_result<>{};
}

task<io_result<>> DiskFile::sync_file_system() {
  const int failed = co_await on_io_thread(pool_, Lane::flush, [&] { return syncfs(descriptor_.get()) == 0 ? 0 : errno; });
  if (failed != 0) co_return error(failed, "syncfs");
  co_return io_result<>{};
}

task<io_result<>> DiskFile::truncate(uint64_t size_bytes) {
  if (ftruncate(descriptor_.get(), static_cast<off_t>(size_bytes)) != 0)
    return ready(io_result<>(error(errno, "truncate")));
  return ready(io_result<>{});
}

task<io_result<uint64_t>> DiskFile::size() {
  struct stat status {};
  if (fstat(descriptor_.get(), &status) != 0) return ready(io_result<uint64_t>(error(errno, "stat")));
  return ready(io_result<uint64_t>(static_cast<uint64_t>(status.st_size)));
}

}  // namespace moldau::runtime::real
