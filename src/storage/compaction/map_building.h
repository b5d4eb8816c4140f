// MapBuilding: the first half of a round. The dirty part of a log, batch by batch, into the offset map.
//
// Markers and the data of aborted transactions are no records of their keys. When the map is full the round ends right
// there: map.latest_offset() says where. No I/O; used by one thread at a time. Kafka: Cleaner.buildOffsetMapForSegment.
#pragma once

#include "storage/compaction/batch_filter.h"

namespace moldau::storage {

class MapBuilding {
 public:
  // Both must outlive it. `transactions` knows the aborted ones that overlap the dirty part.
  MapBuilding(OffsetMap& map, CleanedTransactions& transactions, Offset first_dirty)
      : map_(map), transactions_(transactions), first_dirty_(first_dirty) {}

  // Takes a batch, which may lie below the first dirty offset in part or whole. False: the map is full.
  [[nodiscard]] log_result<bool> take(ByteView batch);

 private:
  [[nodiscard]] log_result<> take_legacy_records(const protocol::RecordBatchHeader& header, ByteView batch);

  OffsetMap& map_;
  CleanedTransactions& transactions_;
  Offset first_dirty_;
  // Of the batch at hand; kept for their memory.
  Bytes decompressed_;
  struct Hashed {
    KeyHash key;
    Offset offset;
  };
  std::vector<Hashed> records_;
};

}  // namespace moldau::storage
