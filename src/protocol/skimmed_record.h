// A record of a compressed batch, of which only what validation asks is kept: key, value and headers are moved over in
// the decompressed stream, so that a record of any size takes no memory.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "protocol/batch_error.h"
#include "protocol/decompressed_bytes.h"

namespace moldau::protocol {

struct SkimmedRecord {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  bool has_key = false;
};

// Moves over the next record and checks its form as read_record does.
[[nodiscard]] result<SkimmedRecord, BatchError> skim_record(DecompressedBytes& bytes);

}  // namespace moldau::protocol
