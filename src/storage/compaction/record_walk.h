// Walks the records of a batch for compaction: of each what decides whether it stays, and the bytes to copy if it does.
//
// A record that stays in a rewritten batch differs in its timestamp delta alone, so the rest of it is copied as it lies.
// Pure, over plain bytes; compressed batches are decompressed before. Keys and values are bounded by their record,
// headers are copied unread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/batch_error.h"

namespace moldau::storage {

struct WalkedRecord {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  std::optional<ByteView> key;
  bool has_value = false;
  ByteView whole;            // with its length
  ByteView behind_timestamp; // from the offset delta to the end
};

// Takes the record at the front of `rest`.
[[nodiscard]] result<WalkedRecord, protocol::BatchError> walk_record(ByteView& rest);
// Adds the record with another timestamp delta.
void append_walked(Bytes& to, const WalkedRecord& record, int64_t timestamp_delta);

}  // namespace moldau::storage
