// Connections as Moldau uses them: a stream of bytes, read by one task and written by one task of its shard.
//
// A Connection belongs to one shard. A failed or cancelled operation leaves it useless: close it. Output may hold ranges
// of files, which go out by sendfile where that pays.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "runtime/file.h"
#include "runtime/io_error.h"
#include "runtime/task.h"

namespace moldau::runtime {

struct Address {
  std::string host;  // a name, an IPv4 or an IPv6 address without brackets; empty: every interface
  uint16_t port = 0; // 0 when listening: any free one

  [[nodiscard]] std::string to_string() const;  // host:port, IPv6 in brackets
  friend bool operator==(const Address&, const Address&) = default;
};

// A piece of output: bytes, or a range of a file (then `bytes` is empty). Bytes stay valid until the write has ended.
struct OutputPart {
  ByteView bytes;
  FilePtr file;
  uint64_t file_position = 0;
  uint64_t file_size_bytes = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;

  // Goes with the connection: what Admission gave for it.
  std::shared_ptr<void> ticket;

  // Waits for at least one byte; gives how many came, 0 when the peer has closed its side.
  virtual task<io_result<size_t>> read(MutableByteView into) = 0;

  // Sends every part in order. A file that turns out shorter than its range is an error (EPROTO), for what was promised
  // cannot be sent any more.
  virtual task<io_result<>> write(std::span<const OutputPart> parts) = 0;

  // Ends both sides now; operations under way finish with ECANCELED. May be called twice.
  virtual void close() = 0;

  [[nodiscard]] virtual const Address& peer() const = 0;
  [[nodiscard]] virtual const Address& local() const = 0;
};

// Says when a listener takes a connection and which ones it keeps. Called on the shard that called listen().
class Admission {
 public:
  static constexpr int64_t until_told = INT64_MAX;

  virtual ~Admission() = default;
  // Before one is taken from the system's queue: 0 to take it now, else how long to leave the queue alone; `until_told`
  // until Listener::look_again().
  [[nodiscard]] virtual int64_t wait_us() = 0;
  // A ticket for a connection that was taken, or nothing: then it is closed at once.
  [[nodiscard]] virtual std::shared_ptr<void> admit(const Address& peer) = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual Address address() const = 0;  // with the real port
  virtual void close() = 0;                           // takes no more connections; those that are open stay
  virtual void look_again() = 0;                      // on its own shard: Admission may say something else now
};

struct ListenOptions {
  static constexpr int32_t of_the_system = -1;

  Admission* admission = nullptr;  // outlives the listener; null: everybody is let in at once
  // What the kernel keeps of a connection's bytes (SO_SNDBUF, SO_RCVBUF); `of_the_system` lets it choose and grow them. A
  // send buffer of megabytes halves what a core can send: what waits in it falls out of the processor's caches.
  int32_t send_buffer_bytes = of_the_system;
  int32_t receive_buffer_bytes = of_the_system;
  int32_t backlog = of_the_system;  // connections that wait to be taken; `of_the_system`: as many as it allows
};

class Network {
 public:
  virtual ~Network() = default;

  // Each accepted connection is given to `serve` on a shard of the node's (chosen round-robin, or by fewest
  // connections). `serve` is a plain function; it spawns what it needs into a Scope of its own.
  using Serve = std::function<void(std::unique_ptr<Connection>)>;
  virtual io_result<std::unique_ptr<Listener>> listen(const Address& address, Serve serve, const ListenOptions& options) = 0;
  io_result<std::unique_ptr<Listener>> listen(const Address& address, Serve serve) {
    return listen(address, std::move(serve), {});
  }

  // ETIMEDOUT after timeout_ms. The connection belongs to the caller's shard.
  virtual task<io_result<std::unique_ptr<Connection>>> connect(Address address, int64_t timeout_ms) = 0;
};

}  // namespace moldau::runtime
