// The walks along a batch's records for batch_validation.cc, which alone includes this: what is asked of each record, and
// on the way either nothing is kept of it or it is written again in another codec. Either way a batch is decoded once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/batch_builder.h"
#include "protocol/batch_validation.h"

namespace moldau::protocol {

// What the checks of single records find.
struct RecordFindings {
  int64_t max_timestamp_ms = no_timestamp_ms;
  bool has_offsets_in_order = true;  // deltas 0, 1, 2, ...
  bool has_timestamp_error = false;
  size_t error_count = 0;
  std::vector<RecordError> errors;  // the first ones: the answer to a hostile batch stays small
};

// Checks each record without keeping any. Fails for records that are not well formed, and with `too_large` where more
// than `decompressed_bound_bytes` come out of a compressed batch.
[[nodiscard]] result<RecordFindings, BatchError> check_records(ByteView batch, Codec codec,
                                                               const ValidationSettings& settings, int64_t clock_ms,
                                                               size_t decompressed_bound_bytes);

// The same, and writes the records once more into `into`, until one of them is refused or it holds more than
// `copied_max_bytes`.
[[nodiscard]] result<RecordFindings, BatchError> check_and_copy_records(ByteView batch,
                                                                        const ValidationSettings& settings,
                                                                        int64_t clock_ms,
                                                                        size_t decompressed_bound_bytes,
                                                                        size_t copied_max_bytes, BatchBuilder& into);

}  // namespace moldau::protocol
