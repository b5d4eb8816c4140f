// Message sets of magic 0 and 1, which directories older than Kafka 0.11 hold. They are read, never written: compaction makes batches
// of magic 2 of them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "protocol/record_batch.h"

namespace moldau::protocol {

struct LegacyRecord {
  Offset offset;
  int64_t timestamp_ms = no_timestamp_ms;
  std::optional<ByteView> key;  // into the batch, or into LegacyBatch::decompressed
  std::optional<ByteView> value;
  uint32_t size_bytes = 0;
};

// One outer message: a record by itself, or a wrapper of compressed ones.
struct LegacyBatch {
  int8_t magic = 0;
  Codec codec = Codec::none;
  TimestampType timestamp_type = TimestampType::none;
  int64_t max_timestamp_ms = no_timestamp_ms;
  Offset last_offset;  // as the outer message states it
  uint32_t crc = 0;
  bool is_crc_right = false;
  Bytes decompressed;  // what the inner records point into
  std::vector<LegacyRecord> records;
  std::optional<BatchError> records_error;  // why `records` is not all of them

  [[nodiscard]] Offset base_offset() const { return records.empty() ? no_offset : records.front().offset; }
};

// Reads a batch that BatchCursor framed. Nothing more than `max_bytes` is decompressed.
[[nodiscard]] result<LegacyBatch, BatchError> read_legacy_batch(ByteView batch,
                                                                size_t max_bytes = decompressed_max_bytes);

// The front of a batch of any magic (what BatchCursor or a like walk has framed, at least up to its timestamp) as a
// header. Of magic 0 and 1 the base offset is the offset that the batch states, which is its last record's, and what they
// do not have is absent: a leader epoch, a producer, a count.
[[nodiscard]] RecordBatchHeader read_header_of_any_magic(ByteView front);
// Of magic 0 and 1 the CRC-32 of the outer message, of magic 2 the CRC-32C. `batch` is whole.
[[nodiscard]] bool is_crc_right_in_any_magic(ByteView batch);
// The first record's offset, for which a compressed batch of an old magic has to be read.
[[nodiscard]] result<Offset, BatchError> first_offset_in_any_magic(ByteView batch);

}  // namespace moldau::protocol
