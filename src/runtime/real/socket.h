// A TCP connection of one shard. Reads and writes are tried at once and wait only for what the kernel cannot take or give.
#pragma once

#include "runtime/network.h"
#include "runtime/real/descriptor.h"
#include "runtime/real/event_shard.h"

namespace moldau::runtime::real {

class Socket final : public Connection, private Pollable {
 public:
  // The descriptor is connected and non-blocking. Null with errno when the shard cannot watch it.
  static std::unique_ptr<Socket> adopt(EventShard& shard, Descriptor descriptor, Address peer);
  ~Socket() override;

  task<io_result<size_t>> read(MutableByteView into) override;
  task<io_result<>> write(std::span<const OutputPart> parts) override;
  void close() override;
  [[nodiscard]] const Address& peer() const override { return peer_; }
  [[nodiscard]] const Address& local() const override { return local_; }

 private:
  // How far a write has come. No bytes are held between its steps: file bytes are read again after a short send.
  struct Cursor {
    std::span<const OutputPart> parts;
    size_t part = 0;
    uint64_t offset = 0;      // within the part
    bool may_wait = false;    // the bytes at the cursor were just read in: use them even if that waits
    [[nodiscard]] bool done() const { return part == parts.size(); }
    void skip_empty();
    void advance(uint64_t sent_bytes);
  };
  enum class Step : uint8_t { sent, full, cold, failed };

  Socket(EventShard& shard, Descriptor descriptor, Address peer);
  void on_events(uint32_t events) override;
  // A recv: bytes, or minus an errno.
  ssize_t receive(MutableByteView into);
  task<io_result<size_t>> read_later(MutableByteView into);
  task<io_result<>> write_later(Cursor cursor, Step why);
  Step send_some(Cursor& cursor);
  Step send_gathered(Cursor& cursor);
  Step send_range(Cursor& cursor);
  Step send_failed(int number);
  [[nodiscard]] std::unexpected<IoError> error(int number, const char* operation) const;

  auto wait(std::coroutine_handle<>& waiter) {
    struct Awaiter {
      std::coroutine_handle<>& slot;
      [[nodiscard]] bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> caller) const {
        MOLDAU_ASSERT_MSG(!slot, "two tasks read, or two write, one connection");
        slot = caller;
      }
      void await_resume() const {}
    };
    return Awaiter{waiter};
  }
  void wake(std::coroutine_handle<>& waiter) {
    if (waiter) shard_.resume_soon(std::exchange(waiter, {}));
  }

  EventShard& shard_;
  Descriptor descriptor_;
  bool readable_ = true;  // a recv may find something
  bool ended_ = false;    // the peer has closed or reset: nothing announces itself any more
  bool writable_ = true;
  bool closed_ = false;
  int error_ = 0;  // of the write under way
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  Address peer_;
  Address local_;
};

}  // namespace moldau::runtime::real
