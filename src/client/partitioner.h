// Which partition a record goes to, as Kafka's Java client decides: murmur2 of the key, or for records
// without a key one partition until a batch is full (KIP-480).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace moldau::client {

// Java's org.apache.kafka.common.utils.Utils.murmur2, seed 0x9747b28c.
[[nodiscard]] int32_t murmur2(ByteView data);

// The partition of a key; `partition_count` is positive.
[[nodiscard]] inline int32_t partition_of_key(ByteView key, int32_t partition_count) {
  return (murmur2(key) & 0x7fffffff) % partition_count;
}

}  // namespace moldau::client
