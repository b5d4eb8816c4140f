// TCP for a node: listeners that spread connections over the shards, and outgoing connections.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/network.h"
#include "runtime/real/event_shard.h"
#include "runtime/real/io_pool.h"

namespace moldau::runtime::real {

class SocketNetwork final : public Network {
 public:
  SocketNetwork(const std::vector<std::unique_ptr<EventShard>>& shards, IoPool& pool) : shards_(shards), pool_(pool) {}

  // The calling shard accepts.
  io_result<std::unique_ptr<Listener>> listen(const Address& address, Serve serve, const ListenOptions& options) override;
  task<io_result<std::unique_ptr<Connection>>> connect(Address address, int64_t timeout_ms) override;

 private:
  const std::vector<std::unique_ptr<EventShard>>& shards_;
  IoPool& pool_;
};

}  // namespace moldau::runtime::real
