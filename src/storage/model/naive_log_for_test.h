// NaiveLog: a log as a list of batches and rules that anyone can check by reading them; what the real log is compared with.
//
// Beside what the log holds it remembers every batch that was ever part of this history, also those that retention and
// compaction took: from them follows what producers did and how transactions ended. No I/O, no files, no indexes.
#pragma once

#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "protocol/record_batch.h"
#include "storage/log_types.h"

namespace moldau::storage::test {

struct NaiveRecord {
  Offset offset;
  int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  friend bool operator==(const NaiveRecord&, const NaiveRecord&) = default;
};

struct NaiveBatch {
  Offset base_offset;
  Offset last_offset;
  LeaderEpoch leader_epoch;
  ProducerId producer_id;
  ProducerEpoch producer_epoch;
  int32_t base_sequence = -1;
  int32_t last_sequence = -1;
  bool is_transactional = false;
  bool is_control = false;
  int64_t max_timestamp_ms = 0;
  std::optional<int64_t> delete_horizon_ms;
  std::vector<NaiveRecord> records;

  [[nodiscard]] Offset next_offset() const { return last_offset + 1; }
  // Of a control batch that still has its marker.
  [[nodiscard]] bool is_commit() const { return is_control && !records.empty() && records[0].key->at(3) == '\1'; }
  friend bool operator==(const NaiveBatch&, const NaiveBatch&) = default;
};

// The whole batches in `bytes`, checksums and order checked; failures are gtest's.
[[nodiscard]] std::vector<NaiveBatch> decode_batches(ByteView bytes);
[[nodiscard]] std::string describe(const NaiveBatch& batch);
void PrintTo(const NaiveBatch& batch, std::ostream* to);  // for gtest

struct NaiveProducer {
  ProducerEpoch epoch = no_producer_epoch;
  int32_t last_sequence = -1;            // in this epoch
  Offset last_data_offset = no_offset;   // in this epoch
  Offset last_offset = no_offset;        // of anything that it wrote
  Offset open_from = no_offset;          // the first offset of its open transaction
  std::vector<const NaiveBatch*> recent; // of this epoch, the last five
};

class NaiveLog {
 public:
  using State = std::map<std::string, std::string>;

  std::vector<NaiveBatch> batches;
  std::vector<NaiveBatch> history;
  std::set<Offset> forgotten;              // the batches by which producers are not known any more
  std::map<ProducerId, Offset> ended_below;  // where transactions have ended that had gone, and perhaps their markers
  Offset start{0};
  Offset end{0};
  Offset high_watermark{0};

  void append(NaiveBatch batch);
  // What reaches to `offset` or beyond goes.
  void truncate_to(Offset offset);
  // Segments below `base` go.
  void remove_below(Offset base);
  [[nodiscard]] std::map<ProducerId, NaiveProducer> producers() const;
  // What is there after a start. What had gone and has come back is history again.
  void take_back(std::vector<NaiveBatch> found);
  // Of a producer only that is remembered which is still there, or what it did below `from`; or what it did from `from` on.
  void forget_gone_batches_of(ProducerId id, Offset from = Offset(0));
  void forget_gone_markers_of(ProducerId id);
  void remember_from(ProducerId id, Offset from);
  [[nodiscard]] Offset last_stable_offset() const;
  [[nodiscard]] bool is_aborted(const NaiveBatch& batch) const;
  // The end of what a reader may see.
  [[nodiscard]] Offset limit(ReadIsolation isolation) const;
  // What a reader is given from `from` on; of committed data without markers and what was aborted.
  [[nodiscard]] std::vector<NaiveBatch> readable(Offset from, ReadIsolation isolation) const;
  [[nodiscard]] std::optional<FoundOffset> first_of_time(int64_t timestamp_ms) const;
  // The last committed value of each key; a tombstone takes it away.
  [[nodiscard]] State committed_state() const;

 private:
  [[nodiscard]] bool is_gone(const NaiveBatch& batch) const;
  [[nodiscard]] bool opens_transaction(const NaiveBatch& batch) const;
  // The marker that ends the transaction of a batch; null while it is open.
  [[nodiscard]] const NaiveBatch* marker_of(const NaiveBatch& batch) const;
};

// --- compaction (naive_cleaning_for_test.cc) ---

struct NaiveRound {
  Offset first_dirty;
  Offset map_end;      // behind the last record of which the round knows whether it is the newest
  Offset written_end;  // the base of the first segment that is not written again
  Offset upper_bound;  // the batch that ends right before it stays, if only as a header
  int64_t now_ms = 0;
  int64_t delete_retention_ms = 0;
  std::set<ProducerId> known_producers;
};

// What becomes of each batch below `written_end`, by base offset; null: nothing is left of it.
using CleanedBatches = std::map<Offset, std::optional<NaiveBatch>>;
[[nodiscard]] CleanedBatches clean_naively(const NaiveLog& log, const NaiveRound& round);

}  // namespace moldau::storage::test
