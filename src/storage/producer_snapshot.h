// The file `NNN.snapshot`: a partition's producers as they stood when the log ended at offset NNN.
//
// Version 1 (16 bits), CRC-32C of all that follows (32), the number of producers (32), and for each 46 bytes: id, epoch,
// last sequence, last offset, last offset less first, timestamp, coordinator epoch, first offset of the open transaction
// or -1. Only the last batch of a producer is kept. Kafka: ProducerSnapshot.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "storage/producer_state.h"

namespace moldau::storage {

struct SnapshotProducer {
  ProducerId id;
  ProducerEntry entry;
};

[[nodiscard]] Bytes encode_snapshot(const ProducerState& state);
// The error is a sentence that says what is wrong with the file.
[[nodiscard]] result<std::vector<SnapshotProducer>, std::string> decode_snapshot(ByteView file);

}  // namespace moldau::storage
