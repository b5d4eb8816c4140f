// A record of which only what validation asks is kept: key, value and headers are moved over. In a decompressed stream a
// record of any size so takes no memory; in plain bytes it is the quickest way along a batch.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/batch_error.h"
#include "protocol/decompressed_bytes.h"

namespace moldau::protocol {

struct SkimmedRecord {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  bool has_key = false;
};

// Moves `rest` over the record at its front. Null where read_record would refuse it, which then says why.
[[nodiscard]] std::optional<SkimmedRecord> skim_record(ByteView& rest);

// Moves over the next record and checks its form as read_record does.
[[nodiscard]] result<SkimmedRecord, BatchError> skim_record(DecompressedBytes& bytes);

}  // namespace moldau::protocol
