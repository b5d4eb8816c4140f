// MemoryBudget: how many bytes of requests one shard may hold at a time.
//
// Owned by the shard's acceptor; one shard only. Small buffers are counted but never wait, so that every connection can
// always make progress on a request of ordinary size; a buffer that must grow waits while the budget is used up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/signal.h"

namespace moldau::server {

// The memory of a few large blocks that were given back, for the next ones: fresh memory comes as pages that the kernel
// must clear, which costs a sixth of what it costs to take in a produce request of 1 MB.
class SpareMemory {
 public:
  static constexpr size_t least_block_bytes = 256 << 10;
  static constexpr size_t most_kept_bytes = 2 << 20;

  // Memory of at least `capacity` bytes, which is raised to what there is.
  [[nodiscard]] std::unique_ptr<std::byte[]> take(size_t& capacity);
  void give_back(std::unique_ptr<std::byte[]> memory, size_t capacity);
  [[nodiscard]] size_t kept_bytes() const { return kept_bytes_; }

 private:
  struct Piece {
    std::unique_ptr<std::byte[]> memory;
    size_t capacity;
  };
  std::vector<Piece> pieces_;
  size_t kept_bytes_ = 0;
};

struct MemoryBudget {
  explicit MemoryBudget(size_t limit) : limit_bytes(limit) {}

  size_t limit_bytes;
  size_t used_bytes = 0;
  SpareMemory spare;  // not counted as used
  runtime::Signal freed;

  void take(size_t bytes) { used_bytes += bytes; }
  void give_back(size_t bytes) {
    MOLDAU_ASSERT(used_bytes >= bytes);
    used_bytes -= bytes;
    if (used_bytes <= limit_bytes) freed.notify_all();
  }
  [[nodiscard]] bool has_room() const { return used_bytes <= limit_bytes; }
};

}  // namespace moldau::server
