// Environment: everything of the outer world that a node may touch. There is a real one (runtime/real) and a simulated
// one (runtime/simulated); nothing above runtime/ knows which it has.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "runtime/shard.h"

namespace moldau::runtime {

class Environment {
 public:
  virtual ~Environment() = default;

  // The node's shards; at least one, fixed for the environment's life.
  [[nodiscard]] virtual const std::vector<Shard*>& shards() const = 0;
  // One more, for the metadata quorum alone: not among shards(), no connection and no partition lives there, so that
  // nothing which clients do can keep the quorum waiting.
  [[nodiscard]] virtual Shard& quorum_shard() const = 0;
  [[nodiscard]] virtual FileSystem& files() = 0;
  [[nodiscard]] virtual Network& network() = 0;

  // Milliseconds since 1970, as the machine believes; may jump. Callable on every shard.
  [[nodiscard]] virtual int64_t wall_clock_ms() const = 0;
  // Milliseconds since the machine started, those asleep included; never jumps. Callable on every shard.
  [[nodiscard]] virtual int64_t uptime_ms() const = 0;
  // Names this start of the machine: what was written under the same name is in its page cache still. Empty if nothing
  // is known of it.
  [[nodiscard]] virtual std::string boot_id() const = 0;

  // Uniform 64 bits; not for secrets. Callable on every shard.
  [[nodiscard]] virtual uint64_t random() = 0;

  // Runs CPU-heavy work (decompression, compression) off the shard while the caller waits; in the simulator it runs at
  // once. `work` touches nothing that another task may touch meanwhile.
  virtual task<void> run_off_shard(Job work) = 0;
};

// A random Uuid (version 4) that is none of Kafka's reserved ids and whose text does not begin with '-'.
[[nodiscard]] Uuid random_uuid(Environment& environment);

}  // namespace moldau::runtime
