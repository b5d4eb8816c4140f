// An append on its way into a log: its batches as they will lie there, and what they do to the producers. Between
// log_append.cc, which fills it, and the segment.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "protocol/record_batch.h"
#include "storage/producer_entry.h"

namespace moldau::storage {

struct PreparedAppend {
  PreparedAppend() = default;
  PreparedAppend(const PreparedAppend&) = delete;
  PreparedAppend& operator=(const PreparedAppend&) = delete;

  ByteView bytes;
  Bytes rewritten;  // what `bytes` views, if the batch had to be encoded again
  protocol::RecordBatchHeader single;
  std::vector<protocol::RecordBatchHeader> several;
  std::span<const protocol::RecordBatchHeader> batches;  // `single` or `several`

  Offset first_offset = no_offset;
  Offset last_offset = no_offset;
  int64_t max_timestamp_ms = -1;
  int64_t log_append_time_ms = -1;

  // Filled by the producer check.
  std::vector<ProducerAppend> producers;
  std::vector<CompletedTransaction> completed;
  std::optional<ProducedBatch> duplicate_of;
};

// The transaction marker in a control batch; null if its first record is none.
[[nodiscard]] std::optional<EndTransactionMarker> read_marker(ByteView batch, int64_t* timestamp_ms);

// Feeds one batch to the producer that wrote it. `bytes` are the batch's own.
[[nodiscard]] log_result<std::optional<CompletedTransaction>> feed_producer(ProducerAppend& producer,
                                                                            const protocol::RecordBatchHeader& batch,
                                                                            ByteView bytes, int transaction_version);

}  // namespace moldau::storage
