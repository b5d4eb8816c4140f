#include "runtime/real/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "runtime/real/addresses.h"
#include "runtime/real/disk_file.h"

namespace moldau::runtime::real {

namespace {

// Below this a copy through memory costs less than a sendfile call.
constexpr uint64_t sendfile_from_bytes = 32 * 1024;
// A sendfile call takes at most this: who reads as fast as we send must not hold the turn for a megabyte.
constexpr uint64_t sendfile_at_once_bytes = 256 * 1024;
constexpr size_t vectors_at_once = 64;

bool is_range(const OutputPart& part) { return part.file != nullptr; }
uint64_t size_of(const OutputPart& part) { return is_range(part) ? part.file_size_bytes : part.bytes.size(); }
DiskFile& disk_file(const OutputPart& part) { return static_cast<DiskFile&>(*part.file); }

}  // namespace

void Socket::Cursor::skip_empty() {
  while (part < parts.size() && offset == size_of(parts[part])) {
    ++part;
    offset = 0;
  }
}

void Socket::Cursor::advance(uint64_t sent_bytes) {
  while (sent_bytes > 0) {
    const uint64_t step = std::min(sent_bytes, size_of(parts[part]) - offset);
    offset += step;
    sent_bytes -= step;
    skip_empty();
  }
}

std::unique_ptr<Socket> Socket::adopt(EventShard& shard, Descriptor descriptor, Address peer) {
  const int yes = 1;
  setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(descriptor.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  const int number = descriptor.get();
  std::unique_ptr<Socket> socket(new Socket(shard, std::move(descriptor), std::move(peer)));
  if (!shard.watch(number, EPOLLIN | EPOLLOUT | EPOLLRDHUP, *socket)) return nullptr;
  return socket;
}

Socket::Socket(EventShard& shard, Descriptor descriptor, Address peer)
    : shard_(shard), descriptor_(std::move(descriptor)), peer_(std::move(peer)), local_(local_address(descriptor_.get())) {}

Socket::~Socket() {
  close();
  MOLDAU_ASSERT_MSG(!reader_ && !writer_, "a connection was destroyed while a task used it");
}

std::unexpected<IoError> Socket::error(int number, const char* operation) const {
  return fail(IoError{number, operation, peer_.to_string()});
}

void Socket::close() {
  if (closed_) return;
  closed_ = true;
  descriptor_.reset();
  wake(reader_);
  wake(writer_);
}

void Socket::on_events(uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) ended_ = true;
  if (ended_ || (events & EPOLLIN) != 0) {
    readable_ = true;
    wake(reader_);
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    writable_ = true;
    wake(writer_);
  }
}

ssize_t Socket::receive(MutableByteView into) {
  while (true) {
    const ssize_t n = recv(descriptor_.get(), into.data(), into.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno == EAGAIN) readable_ = ended_;
      return -errno;
    }
    // A short read has emptied the socket; what comes later announces itself with an edge of its own. What came
    // together with the end of the stream does not.
    if (static_cast<size_t>(n) < into.size()) readable_ = ended_;
    return n;
  }
}

task<io_result<size_t>> Socket::read(MutableByteView into) {
  MOLDAU_ASSERT_MSG(!into.empty(), "a read into nothing cannot tell the end from success");
  if (closed_) return ready(io_result<size_t>(error(ECANCELED, "read from")));
  if (readable_ && !shard_.is_turn_over()) {
    const ssize_t n = receive(into);
    if (n >= 0) return ready(io_result<size_t>(static_cast<size_t>(n)));
    if (n != -EAGAIN) return ready(io_result<size_t>(error(static_cast<int>(-n), "read from")));
  }
  return read_later(into);
}

task<io_result<size_t>> Socket::read_later(MutableByteView into) {
  if (readable_) co_await yield();
  while (true) {
    if (!readable_ && !closed_) co_await wait(reader_);
    if (closed_) co_return error(ECANCELED, "read from");
    const ssize_t n = receive(into);
    if (n >= 0) co_return static_cast<size_t>(n);
    if (n != -EAGAIN) co_return error(static_cast<int>(-n), "read from");
    readable_ = false;
  }
}

task<io_result<>> Socket::write(std::span<const OutputPart> parts) {
  if (closed_) return ready(io_result<>(error(ECANCELED, "write to")));
  Cursor cursor{.parts = parts};
  cursor.skip_empty();
  while (!cursor.done()) {
    const Step step = send_some(cursor);
    if (step == Step::failed) return ready(io_result<>(error(error_, "write to")));
    if (cursor.done()) break;
    if (step != Step::sent || shard_.is_turn_over(EventShard::send_turn_us)) return write_later(cursor, step);
  }
  return ready(io_result<>{});
}

task<io_result<>> Socket::write_later(Cursor cursor, Step why) {
  while (!cursor.done()) {
    if (why == Step::sent) {
      if (shard_.is_turn_over(EventShard::send_turn_us)) co_await yield();
    } else if (why == Step::full) {
      if (!writable_) co_await wait(writer_);
    } else if (why == Step::cold) {
      // Only this connection waits for the disk; then the range is sent as if it had been in memory.
      const OutputPart& part = cursor.parts[cursor.part];
      const uint64_t size = std::min(part.file_size_bytes - cursor.offset, sendfile_at_once_bytes);
      co_await disk_file(part).bring_into_cache(part.file_position + cursor.offset, size);
      cursor.may_wait = true;
    }
    if (closed_) co_return error(ECANCELED, "write to");
    why = send_some(cursor);
    if (why == Step::failed) co_return error(error_, "write to");
  }
  co_return io_result<>{};
}

Socket::Step Socket::send_failed(int number) {
  if (number == EAGAIN) {
    writable_ = false;
    return Step::full;
  }
  error_ = number;
  return Step::failed;
}

Socket::Step Socket::send_some(Cursor& cursor) {
  const OutputPart& part = cursor.parts[cursor.part];
  return is_range(part) && part.file_size_bytes >= sendfile_from_bytes ? send_range(cursor) : send_gathered(cursor);
}

// Sends bytes and small file ranges from the cursor up to the next large range in one call.
Socket::Step Socket::send_gathered(Cursor& cursor) {
  iovec vectors[vectors_at_once];
  size_t count = 0;
  uint64_t offset = cursor.offset;
  MutableByteView scratch;
  int flags = MSG_NOSIGNAL;
  for (size_t i = cursor.part; i < cursor.parts.size(); ++i, offset = 0) {
    const OutputPart& part = cursor.parts[i];
    const uint64_t size = size_of(part) - offset;
    if (size == 0) continue;
    if (count == vectors_at_once || (is_range(part) && part.file_size_bytes >= sendfile_from_bytes)) {
      flags |= MSG_MORE;
      break;
    }
    if (!is_range(part)) {
      vectors[count++] = {const_cast<std::byte*>(part.bytes.data()) + offset, size};
      continue;
    }
    if (scratch.data() == nullptr) scratch = shard_.scratch();
    if (scratch.size() < size) {
      flags |= MSG_MORE;
      break;
    }
    const MutableByteView into = scratch.first(size);
    const uint64_t position = part.file_position + offset;
    ssize_t n = disk_file(part).read_cached(position, into);
    if (n != static_cast<ssize_t>(size) && cursor.may_wait && i == cursor.part)
      n = read_blocking(part.file->native_handle(), position, into);
    if (n == static_cast<ssize_t>(size)) {
      vectors[count++] = {into.data(), into.size()};
      scratch = scratch.subspan(size);
      continue;
    }
    if (count > 0) {  // send what stands before it; then this part is the first and is looked at again
      flags |= MSG_MORE;
      break;
    }
    if (!cursor.may_wait) return Step::cold;
    return send_failed(n < 0 ? static_cast<int>(-n) : EPROTO);
  }
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do sent = sendmsg(descriptor_.get(), &message, flags);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return send_failed(errno);
  cursor.advance(static_cast<uint64_t>(sent));
  cursor.may_wait = false;
  return Step::sent;
}

Socket::Step Socket::send_range(Cursor& cursor) {
  const OutputPart& part = cursor.parts[cursor.part];
  const uint64_t size = std::min(part.file_size_bytes - cursor.offset, sendfile_at_once_bytes);
  off_t position = static_cast<off_t>(part.file_position + cursor.offset);
  if (!cursor.may_wait && !disk_file(part).is_cached(static_cast<uint64_t>(position), size)) return Step::cold;
  ssize_t sent = 0;
  do sent = sendfile(descriptor_.get(), part.file->native_handle(), &position, size);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return send_failed(errno);
  if (sent == 0) return send_failed(EPROTO);  // the file ends inside the range
  cursor.advance(static_cast<uint64_t>(sent));
  cursor.may_wait = false;
  return Step::sent;
}

}  // namespace moldau::runtime::real
