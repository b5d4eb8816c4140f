// The hash by which compaction knows a key: SipHash-2-4 with 128 bits, keyed at random for each round.
//
// Two keys that hash alike would cost the older one its value, so the hash must be wide, and nobody who writes to the
// log may be able to aim at it: hence the random key, where Kafka takes plain MD5. Nothing of it reaches the disk.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace moldau::storage {

struct KeyHash {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const KeyHash&, const KeyHash&) = default;
};

class KeyHasher {
 public:
  KeyHasher(uint64_t key_0, uint64_t key_1) : key_0_(key_0), key_1_(key_1) {}
  [[nodiscard]] KeyHash operator()(ByteView key) const;

 private:
  uint64_t key_0_;
  uint64_t key_1_;
};

}  // namespace moldau::storage
