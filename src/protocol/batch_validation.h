// What a leader asks of a batch before it lies in the log, and what it changes in it: a pure function of the bytes, the
// topic's settings and the clock. Storage checks what needs the log's state (sequences, epochs, verification).
//
// Verdicts are Kafka's (LogValidator and ProduceRequest of 4.3), except where Kafka answers UNKNOWN_SERVER_ERROR by
// accident: then the code that fits, see docs/internals/record-batch.md.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "protocol/compression.h"
#include "protocol/error_code.h"
#include "protocol/record_batch.h"

namespace moldau::protocol {

// As in a ProduceResponse.
struct RecordError {
  int32_t batch_index = 0;  // of the record in its batch
  std::string message;
};

struct BatchRejection {
  ErrorCode code = ErrorCode::none;
  std::string message;  // names the limit and the setting that it comes from
  std::vector<RecordError> record_errors;
};

// Who appends. Only clients are held to offsets from 0, counts that fit and no control records.
enum class AppendOrigin : uint8_t { client, coordinator, raft_leader };

struct ValidationSettings {
  int32_t max_message_bytes = 1048588;
  TimestampType timestamp_type = TimestampType::create_time;
  int64_t timestamp_before_max_ms = std::numeric_limits<int64_t>::max();
  int64_t timestamp_after_max_ms = 3'600'000;
  bool is_compacted = false;
  std::optional<Codec> codec = std::nullopt;  // null for `producer`: as it comes
  std::optional<int> codec_level = std::nullopt;
};

struct ValidatedBatch {
  RecordBatchHeader header;  // after the changes
  // The batch in the topic's codec, when it differs from what came in; the bytes passed in are then not to be used.
  std::optional<Bytes> rewritten;
};

// The check of a partition's records in a Produce request: exactly one batch, of magic 2, in a codec that the version
// allows. Gives the batch; bytes of a cut-off batch behind it are left out, as Kafka does.
[[nodiscard]] result<ByteView, BatchRejection> single_produced_batch(ByteView records, int16_t produce_version);

// Checks one whole v2 batch and makes it what the log holds: base offset `first_offset`, `epoch`, timestamps. `batch` is
// changed in place. `clock_ms` is the time of the append.
[[nodiscard]] result<ValidatedBatch, BatchRejection> validate_batch(MutableByteView batch, AppendOrigin origin,
                                                                    const ValidationSettings& settings,
                                                                    Offset first_offset, LeaderEpoch epoch,
                                                                    int64_t clock_ms);

// The same for a batch that takes a fraction of a millisecond; null, and nothing changed, for one that may take longer
// (much to decompress or to compress), so that the caller has validate_batch look at it where nobody waits.
[[nodiscard]] std::optional<result<ValidatedBatch, BatchRejection>> validate_small_batch(
    MutableByteView batch, AppendOrigin origin, const ValidationSettings& settings, Offset first_offset,
    LeaderEpoch epoch, int64_t clock_ms);

}  // namespace moldau::protocol
