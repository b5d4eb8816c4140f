// OffsetMap: for each key of the dirty part of a log the offset of its newest record; what a round of compaction goes by.
//
// Of a key only its hash is held, 24 bytes with the offset, as in Kafka, so that the same budget ends a round at the same
// record. It grows with the keys that come, eightfold each time, up to what the round can need and at most to the budget
// (and an eighth more for the moment of the last step): few keys stay in the processor's cache, and little memory is cleared
// for them. Open addressing in the order of the hashes (Robin Hood), which stays quick when it is nearly
// full. Plain data; made by a round and used by one thread at a time. Kafka: SkimpyOffsetMap.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "storage/compaction/key_hash.h"

namespace moldau::storage {

// What a round may use: its worker's share of log.cleaner.dedupe.buffer.size, and log.cleaner.io.buffer.load.factor.
struct OffsetMapLimits {
  static constexpr uint64_t slot_bytes = 24;

  uint64_t memory_bytes = 128ULL << 20;
  double load_factor = 0.9;

  [[nodiscard]] uint64_t slots() const { return memory_bytes / slot_bytes; }
  [[nodiscard]] uint64_t keys_max() const;
};

class OffsetMap {
 public:
  // `keys_expected` is no fewer than the keys that can come; where the limits allow fewer, put() says when it is full.
  OffsetMap(const OffsetMapLimits& limits, uint64_t keys_expected, KeyHasher hasher);

  // By which put() and find() know a key; its place in the map is on its way into the cache afterwards. Hash the keys of a
  // whole batch before the first is looked up: waiting for memory is most of what the map costs.
  [[nodiscard]] KeyHash hash(ByteView key) const;
  // Takes note of a record, which is newer than all before it. False: there is room for no other record, whatever its
  // key (as in Kafka), and nothing was noted.
  [[nodiscard]] bool put(const KeyHash& key, Offset offset);
  // Null: no record of this key was put.
  [[nodiscard]] std::optional<Offset> find(const KeyHash& key) const;

  // Up to here, inclusive, all records are known; those behind it are nobody's business yet.
  [[nodiscard]] Offset latest_offset() const { return latest_offset_; }
  void set_latest_offset(Offset offset) { latest_offset_ = offset; }

  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] double utilization() const;  // of what the limits allow

 private:
  struct Slot {
    uint64_t high;
    uint64_t low;
    int64_t next_offset;  // the offset plus one; 0: an empty slot
  };
  static_assert(sizeof(Slot) == OffsetMapLimits::slot_bytes);
  struct Free {
    void operator()(Slot* slots) const;
  };

  // Makes the table of that many slots, empty.
  void allocate(uint64_t slot_count);
  void grow();
  // Puts a slot where it belongs, or renews the offset of its key.
  void place(Slot coming);
  [[nodiscard]] uint64_t home_of(uint64_t high) const;
  [[nodiscard]] uint64_t distance_from_home(uint64_t at) const;
  [[nodiscard]] uint64_t next(uint64_t at) const { return at + 1 == slot_count_ ? 0 : at + 1; }

  KeyHasher hasher_;
  uint64_t keys_allowed_;    // by the limits
  uint64_t keys_max_;        // by them and by what was expected
  uint64_t slot_count_max_;  // which it may grow to
  uint64_t slot_count_ = 0;
  uint64_t keys_now_ = 0;  // so many have room in the table as it is
  std::unique_ptr<Slot[], Free> slots_;
  uint64_t size_ = 0;
  Offset latest_offset_ = no_offset;
};

}  // namespace moldau::storage
