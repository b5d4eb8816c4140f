// ProducerEntry: what a partition remembers of one producer, and what an append does to it.
//
// The last five batches (so that a repeat is recognised and answered with its first offsets), the epoch, the epoch of the
// coordinator that wrote its last marker, and the open transaction. Pure data and rules (KIP-98, KIP-360, KIP-890);
// ProducerState keeps the entries. Kafka: ProducerStateEntry, ProducerAppendInfo.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "storage/error.h"

namespace moldau::storage {

inline constexpr int32_t no_sequence = -1;

// Sequences count from 0 to 2^31-1 and start again at 0.
[[nodiscard]] int32_t sequence_plus(int32_t sequence, int32_t count);
[[nodiscard]] int32_t sequence_minus(int32_t sequence, int32_t count);

struct ProducedBatch {
  int32_t last_sequence = no_sequence;
  int32_t offset_delta = 0;  // last offset less first
  Offset last_offset = no_offset;
  int64_t timestamp_ms = -1;

  [[nodiscard]] int32_t first_sequence() const { return sequence_minus(last_sequence, offset_delta); }
  [[nodiscard]] Offset first_offset() const { return last_offset - offset_delta; }
  friend bool operator==(const ProducedBatch&, const ProducedBatch&) = default;
};

struct ProducerEntry {
  static constexpr size_t batches_kept = 5;

  ProducerEpoch epoch = no_producer_epoch;
  int32_t coordinator_epoch = -1;
  int64_t last_timestamp_ms = -1;
  Offset transaction_first_offset = no_offset;  // no_offset: no open transaction
  uint8_t batch_count = 0;
  std::array<ProducedBatch, batches_kept> batches{};  // oldest first
  uint64_t inserted = 0;  // a counter of ProducerState's, for the order in snapshots

  [[nodiscard]] bool has_batches() const { return batch_count > 0; }
  [[nodiscard]] const ProducedBatch& last_batch() const { return batches[batch_count - 1U]; }
  [[nodiscard]] int32_t last_sequence() const { return has_batches() ? last_batch().last_sequence : no_sequence; }
  [[nodiscard]] Offset last_data_offset() const { return has_batches() ? last_batch().last_offset : no_offset; }
  [[nodiscard]] int32_t last_offset_delta() const { return has_batches() ? last_batch().offset_delta : 0; }

  // A new epoch forgets the batches.
  void set_epoch(ProducerEpoch to);
  void add_batch(const ProducedBatch& batch);
  [[nodiscard]] const ProducedBatch* find(ProducerEpoch of, int32_t first_sequence, int32_t last_sequence) const;
};

// Who appends: decides which of the rules apply.
enum class AppendOrigin : uint8_t {
  replication,  // a follower, or recovery: everything is taken as it is
  coordinator,  // a coordinator of this node: no sequence checks
  client,
  raft_leader,  // the metadata log: offsets and epochs are set already
};

struct EndTransactionMarker {
  bool is_commit = false;
  int32_t coordinator_epoch = 0;
};

struct CompletedTransaction {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;  // the marker's
  bool is_aborted = false;
};

// What verification said of a producer that is about to start a transaction here (KIP-890).
struct Verification {
  uint64_t guard = 0;
  int64_t started_ms = 0;
  int32_t lowest_sequence = 0;
  ProducerEpoch epoch;
  bool supports_epoch_bump = false;  // a transaction.version 2 client
};

// The producer's entry as it will be once the batches of one append are in the log.
struct ProducerAppend {
  ProducerId producer_id;
  AppendOrigin origin = AppendOrigin::client;
  ProducerEntry current;  // before the append
  ProducerEntry updated;  // with this append's batches only
  std::optional<Verification> verification;
  std::vector<Offset> started_transactions;

  // One batch of data. Fails with out_of_order_sequence_number, invalid_producer_epoch or invalid_txn_state.
  [[nodiscard]] log_result<> append_data(ProducerEpoch epoch, int32_t first_sequence, int32_t last_sequence,
                                         int64_t max_timestamp_ms, Offset first_offset, Offset last_offset,
                                         bool is_transactional);
  // A marker; null if no transaction was open. Fails with invalid_producer_epoch or transaction_coordinator_fenced.
  // `transaction_version` is the feature's level at which a coordinator writes it; below 0: unknown.
  [[nodiscard]] log_result<std::optional<CompletedTransaction>> append_marker(EndTransactionMarker marker,
                                                                              ProducerEpoch epoch, Offset offset,
                                                                              int64_t timestamp_ms,
                                                                              int transaction_version);

 private:
  [[nodiscard]] log_result<> check_epoch(ProducerEpoch epoch, Offset offset, int transaction_version) const;
  [[nodiscard]] log_result<> check_sequence(ProducerEpoch epoch, int32_t first_sequence, Offset offset) const;
};

}  // namespace moldau::storage
