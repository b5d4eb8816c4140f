// ProducerState: all that one partition knows of its producers and their transactions.
//
// Which sequences come next, which transactions are open, which ended but whose markers are not replicated yet, and so
// where a reader of committed data must stop. It covers the log below end_offset(). Plain data and rules without I/O: the
// Log feeds it batches and keeps the snapshot files. Kafka: ProducerStateManager (KIP-98, KIP-360, KIP-890).
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "storage/log_config.h"
#include "storage/producer_entry.h"

namespace moldau::storage {

class ProducerState {
 public:
  explicit ProducerState(const ProducerStateConfig& config) : config_(config) {}

  [[nodiscard]] const ProducerStateConfig& config() const { return config_; }
  [[nodiscard]] Offset end_offset() const { return end_offset_; }
  void set_end_offset(Offset offset) { end_offset_ = offset; }
  [[nodiscard]] size_t producer_count() const { return producers_.size(); }
  [[nodiscard]] bool is_empty() const { return producers_.empty() && unreplicated_.empty(); }
  [[nodiscard]] const ProducerEntry* find(ProducerId id) const;
  [[nodiscard]] const std::unordered_map<ProducerId, ProducerEntry>& producers() const { return producers_; }

  // The three steps of an append: prepare, feed the batches to what it gives, and apply it once they are in the log.
  [[nodiscard]] ProducerAppend prepare(ProducerId id, AppendOrigin origin) const;
  void apply(const ProducerAppend& append);
  // Ends a transaction that an applied marker completed; it must have been open.
  void complete(const CompletedTransaction& completed);
  // What the transaction index notes: where readers may go once `completed` has ended.
  [[nodiscard]] Offset last_stable_offset(const CompletedTransaction& completed) const;

  // The first offset that readers of committed data must not pass; null if nothing is open or unreplicated.
  [[nodiscard]] std::optional<Offset> first_unstable_offset() const;
  void high_watermark_moved(Offset to) { forget_replicated(to); }
  void log_start_moved(Offset to);
  [[nodiscard]] bool has_ongoing_transaction(ProducerId id, ProducerEpoch epoch) const;
  // The timestamp of the producer of the oldest open transaction; null without one.
  [[nodiscard]] std::optional<int64_t> oldest_transaction_timestamp_ms() const;

  // Verification (KIP-890): a guard to hand in with the append; 0 if a transaction is open and none is needed.
  uint64_t start_verification(ProducerId id, int32_t sequence, ProducerEpoch epoch, bool supports_epoch_bump,
                              int64_t now_ms);
  [[nodiscard]] bool is_verified(ProducerId id, uint64_t guard) const;
  void clear_verification(ProducerId id) { verifications_.erase(id); }

  // Forgets producers that were silent for producer.id.expiration.ms and have nothing open.
  void expire(int64_t now_ms);
  // Forgets everything; the state covers what lies below `offset`.
  void clear(Offset offset);
  // Takes an entry from a snapshot.
  void load(ProducerId id, const ProducerEntry& entry);
  [[nodiscard]] bool is_expired(const ProducerEntry& entry, int64_t now_ms) const;

  // The producers in the order in which Kafka writes them to a snapshot.
  [[nodiscard]] std::vector<ProducerId> snapshot_order() const;

 private:
  struct Transaction {
    ProducerId producer_id;
    Offset last_offset = no_offset;
  };

  void put(ProducerId id, const ProducerEntry& entry);
  void forget_replicated(Offset below);

  ProducerStateConfig config_;
  std::unordered_map<ProducerId, ProducerEntry> producers_;
  std::unordered_map<ProducerId, Verification> verifications_;
  std::map<Offset, Transaction> ongoing_;       // by first offset
  std::map<Offset, Transaction> unreplicated_;  // ended, with the marker at or above the high watermark
  Offset end_offset_{0};
  uint64_t insertions_ = 0;
  uint64_t last_guard_ = 0;
  uint32_t java_table_size_ = 16;
};

}  // namespace moldau::storage
