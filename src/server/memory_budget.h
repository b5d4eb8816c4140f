// MemoryBudget: how many bytes of requests one shard may hold at a time.
//
// Owned by the shard's acceptor; one shard only. Small buffers are counted but never wait, so that every connection can
// always make progress on a request of ordinary size; a buffer that must grow waits while the budget is used up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/signal.h"

namespace moldau::server {

struct MemoryBudget {
  explicit MemoryBudget(size_t limit) : limit_bytes(limit) {}

  size_t limit_bytes;
  size_t used_bytes = 0;
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
