#include "storage/producer_entry.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"

namespace moldau::storage {

using protocol::ErrorCode;

int32_t sequence_plus(int32_t sequence, int32_t count) {
  return static_cast<int32_t>((int64_t{sequence} + count) & INT32_MAX);
}

int32_t sequence_minus(int32_t sequence, int32_t count) {
  if (sequence >= count) return sequence - count;
  return static_cast<int32_t>(int64_t{INT32_MAX} - (int64_t{count} - sequence) + 1);
}

void ProducerEntry::set_epoch(ProducerEpoch to) {
  if (epoch == to) return;
  batch_count = 0;
  epoch = to;
}

// Sequences are a circle: the nearer half of it lies ahead.
static bool follows(const ProducedBatch& later, const ProducedBatch& earlier) {
  const int32_t ahead = sequence_minus(later.first_sequence(), earlier.last_sequence);
  return ahead > 0 && ahead <= INT32_MAX / 2;
}

void ProducerEntry::add_batch(const ProducedBatch& batch) {
  // A producer that the leader had forgotten begins anew, also in the same epoch; that is seen when the log is read again. What it
  // did before would pass for repeats of what comes, which would be acknowledged and lost.
  if (has_batches() && !follows(batch, last_batch())) batch_count = 0;
  if (batch_count == batches_kept) {
    std::copy(batches.begin() + 1, batches.end(), batches.begin());
    --batch_count;
  }
  batches[batch_count++] = batch;
}

const ProducedBatch* ProducerEntry::find(ProducerEpoch of, int32_t first_sequence, int32_t last_sequence) const {
  if (of != epoch) return nullptr;
  for (size_t i = 0; i < batch_count; ++i)
    if (batches[i].last_sequence == last_sequence && batches[i].first_sequence() == first_sequence) return &batches[i];
  return nullptr;
}

log_result<> ProducerAppend::check_epoch(ProducerEpoch epoch, Offset offset, int transaction_version) const {
  // Transaction version 2 bumps the epoch in each marker; one that does not belongs to an older transaction (KIP-1228).
  const bool must_rise = transaction_version >= 2 && updated.transaction_first_offset != no_offset;
  const bool is_stale = must_rise ? epoch <= updated.epoch : epoch < updated.epoch;
  if (!is_stale) return {};
  if (origin == AppendOrigin::replication) {
    log_debug("producer {} wrote with epoch {} at offset {} after epoch {}", producer_id, epoch, offset, updated.epoch);
    return {};
  }
  return fail(Error{ErrorCode::invalid_producer_epoch,
                    fmt::format("the epoch of producer {} at offset {} is {}, {} the last one seen, {}", producer_id,
                                offset, epoch, must_rise ? "not above" : "below", updated.epoch)});
}

log_result<> ProducerAppend::check_sequence(ProducerEpoch epoch, int32_t first_sequence, Offset offset) const {
  const auto out_of_order = [&](std::string_view expected) {
    return fail(Error{ErrorCode::out_of_order_sequence_number,
                      fmt::format("the sequence of producer {} (epoch {}) at offset {} is {}; {}", producer_id, epoch,
                                  offset, first_sequence, expected)});
  };
  if (verification) {
    if (verification->supports_epoch_bump && first_sequence != 0 && !current.has_batches())
      return out_of_order("nothing is known of the producer, so it must start at 0");
    if (first_sequence > verification->lowest_sequence)
      return out_of_order(fmt::format("{} was seen before it", verification->lowest_sequence));
  }
  if (epoch != updated.epoch) {
    if (first_sequence != 0 && updated.epoch != no_producer_epoch)
      return out_of_order(fmt::format("an epoch above {} must start at 0", updated.epoch));
    return {};
  }
  const int32_t last = updated.has_batches()    ? updated.last_sequence()
                       : epoch == current.epoch ? current.last_sequence()
                                                : no_sequence;
  const bool follows = int64_t{first_sequence} == int64_t{last} + 1 || (first_sequence == 0 && last == INT32_MAX && !MOLDAU_MUTANT("sequence-wrap"));
  if (current.epoch != no_producer_epoch && !follows)
    return out_of_order(fmt::format("the last one in the log is {}", last));
  return {};
}

log_result<> ProducerAppend::append_data(ProducerEpoch epoch, int32_t first_sequence, int32_t last_sequence,
                                         int64_t max_timestamp_ms, Offset first_offset, Offset last_offset,
                                         bool is_transactional) {
  MOLDAU_CHECK(check_epoch(epoch, first_offset, -1));
  if (origin == AppendOrigin::client && !MOLDAU_MUTANT("repeat-appended"))
    MOLDAU_CHECK(check_sequence(epoch, first_sequence, first_offset));
  updated.set_epoch(epoch);
  updated.add_batch({last_sequence, static_cast<int32_t>(last_offset - first_offset), last_offset, max_timestamp_ms});
  updated.last_timestamp_ms = max_timestamp_ms;
  const bool is_open = updated.transaction_first_offset != no_offset;
  if (is_open && !is_transactional)
    return fail(Error{ErrorCode::invalid_txn_state,
                      fmt::format("producer {} has an open transaction, but its batch at offset {} is not transactional",
                                  producer_id, first_offset)});
  if (!is_open && is_transactional) {
    updated.transaction_first_offset = first_offset;
    started_transactions.push_back(first_offset);
  }
  return {};
}

log_result<std::optional<CompletedTransaction>> ProducerAppend::append_marker(EndTransactionMarker marker,
                                                                              ProducerEpoch epoch, Offset offset,
                                                                              int64_t timestamp_ms,
                                                                              int transaction_version) {
  MOLDAU_CHECK(check_epoch(epoch, offset, transaction_version));
  if (updated.coordinator_epoch > marker.coordinator_epoch && origin != AppendOrigin::replication)
    return fail(Error{ErrorCode::transaction_coordinator_fenced,
                      fmt::format("a marker for producer {} at offset {} comes from coordinator epoch {}; {} is known",
                                  producer_id, offset, marker.coordinator_epoch, updated.coordinator_epoch)});
  std::optional<CompletedTransaction> completed;
  if (updated.transaction_first_offset != no_offset)
    completed = CompletedTransaction{producer_id, updated.transaction_first_offset, offset, !marker.is_commit};
  updated.set_epoch(epoch);
  updated.coordinator_epoch = marker.coordinator_epoch;
  updated.transaction_first_offset = no_offset;
  updated.last_timestamp_ms = timestamp_ms;
  return completed;
}

}  // namespace moldau::storage
