// BatchFilter: what compaction leaves of one batch. The rules of a pass, without I/O.
//
// A record stays if it is the newest of its key, and is no tombstone whose delete horizon has passed (KIP-534); records
// beyond the offset map stay as they are. A batch that loses nothing is copied as it lies; one that loses some is encoded
// again in its codec, with its offsets, its sequence and its last offset; one that loses all goes, unless it is the last one
// of a producer that is still known (its sequence is needed) or the last one of the round: then its header stays. Batches
// are given in log order. Used by one thread at a time. Kafka: Cleaner.cleanInto, MemoryRecords.filterTo.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "protocol/compression.h"
#include "protocol/legacy_batch.h"
#include "storage/compaction/cleaned_transactions.h"
#include "storage/compaction/offset_map.h"
#include "storage/compaction/record_walk.h"
#include "storage/error.h"

namespace moldau::storage {

// The last thing that a producer which is still known wrote.
struct LastRecord {
  Offset last_data_offset = no_offset;  // no_offset: only markers, of which the newest epoch stays
  ProducerEpoch epoch = no_producer_epoch;
};
using LastRecords = std::unordered_map<ProducerId, LastRecord>;

// With which level a batch of a codec is compressed again; null: Kafka's default.
struct CompressionLevels {
  std::optional<int> gzip;
  std::optional<int> lz4;
  std::optional<int> zstd;
  [[nodiscard]] std::optional<int> of(protocol::Codec codec) const;
};

struct CleaningRules {
  int64_t now_ms = 0;               // when the round began
  int64_t delete_retention_ms = 0;  // delete.retention.ms
  Offset upper_bound;               // the batch that ends right before it stays, if only as a header
  bool keeps_legacy_tombstones = true;  // of the segment at hand; batches before magic 2 have no delete horizon
  CompressionLevels levels;
};

struct CleaningCounts {
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t records_read = 0;
  uint64_t records_written = 0;
  uint64_t records_without_key = 0;  // dropped: a compacted log has no use for them

  CleaningCounts& operator+=(const CleaningCounts& more) {
    bytes_read += more.bytes_read;
    bytes_written += more.bytes_written;
    records_read += more.records_read;
    records_written += more.records_written;
    records_without_key += more.records_without_key;
    return *this;
  }
};

// What a run of batches became.
struct FilteredBatches {
  Bytes bytes;
  std::vector<protocol::RecordBatchHeader> headers;
  void clear() {
    bytes.clear();
    headers.clear();
  }
};

class BatchFilter {
 public:
  // All must outlive it.
  BatchFilter(const CleaningRules& rules, const OffsetMap& map, const LastRecords& last_records,
              CleanedTransactions& transactions)
      : rules_(rules), map_(map), last_records_(last_records), transactions_(transactions) {}

  // Adds what stays of `batch`, which is whole, to `kept`. corrupt_message for one that cannot be read.
  [[nodiscard]] log_result<> filter(ByteView batch, FilteredBatches& kept);
  [[nodiscard]] const CleaningCounts& counts() const { return counts_; }

 private:
  struct Verdict {
    bool drops_records = false;        // all of them, unread
    bool keeps_empty = false;
    bool is_unneeded_marker = false;   // to be dropped once its delete horizon has passed
  };
  [[nodiscard]] log_result<Verdict> judge(const protocol::RecordBatchHeader& header, ByteView batch);
  [[nodiscard]] bool is_last_of_producer(const protocol::RecordBatchHeader& header) const;
  [[nodiscard]] log_result<> walk(const protocol::RecordBatchHeader& header, ByteView batch);
  struct Candidate {
    Offset offset;
    const KeyHash* key;  // null: it has none
    bool has_value;
    bool keeps_tombstones;
  };
  [[nodiscard]] bool stays(const Candidate& record);
  [[nodiscard]] log_result<> filter_legacy(const protocol::RecordBatchHeader& header, ByteView batch, FilteredBatches& kept);
  [[nodiscard]] std::optional<int64_t> new_horizon_ms() const;
  void rewrite(const protocol::RecordBatchHeader& header, std::optional<int64_t> delete_horizon_ms, FilteredBatches& kept);
  void keep_header(const protocol::RecordBatchHeader& header, FilteredBatches& kept) const;

  const CleaningRules& rules_;
  const OffsetMap& map_;
  const LastRecords& last_records_;
  CleanedTransactions& transactions_;
  CleaningCounts counts_;
  // Of the batch at hand; kept for their memory.
  Bytes decompressed_;
  Bytes rewritten_;
  std::vector<WalkedRecord> records_;
  std::vector<KeyHash> keys_;  // of each record; without a key, anything
  std::vector<const WalkedRecord*> staying_;
};

// The type of the marker in a control batch; null if the batch is empty. corrupt_message if it cannot be read.
[[nodiscard]] log_result<std::optional<protocol::ControlRecordType>> control_type_of(ByteView batch);
// The records of a batch as plain bytes, in the batch or in `decompressed`, which only grows.
[[nodiscard]] log_result<ByteView> plain_records(const protocol::RecordBatchHeader& header, ByteView batch, Bytes& decompressed);
// The same of a batch of magic 0 or 1.
[[nodiscard]] log_result<protocol::LegacyBatch> legacy_records(const protocol::RecordBatchHeader& header, ByteView batch);
// For an error message: which batch it is.
[[nodiscard]] Error corrupt_batch(const protocol::RecordBatchHeader& header, std::string_view what);

}  // namespace moldau::storage
