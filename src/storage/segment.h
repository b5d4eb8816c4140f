// Segment: one file of a partition's log with its three indexes.
//
// The last segment of a log is active: it is appended to, and its indexes have room to grow. Reading needs no lock: it
// sees what lay before size_bytes() when it began. Whatever changes a segment runs under its log's mutex. Bytes are
// looked at only as far as batch headers. Kafka: LogSegment.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/log_config.h"
#include "storage/offset_index.h"
#include "storage/segment_trust.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace moldau::storage {

// A batch in the file.
struct BatchPlace {
  Offset base_offset;
  Offset last_offset;
  uint32_t position = 0;
  uint32_t size_bytes = 0;
  LeaderEpoch leader_epoch;
  int64_t max_timestamp_ms = -1;
  uint32_t sought_from = 0;  // the position of the first header that was looked at to find it

  static BatchPlace of(const protocol::RecordBatchHeader& batch, uint32_t position, uint32_t sought_from);
};

class Segment {
 public:
  // `directory` is the log's and outlives the segment.
  Segment(OpenFiles& cache, const std::string& directory, Offset base_offset, int64_t created_ms, int64_t roll_jitter_ms,
          bool has_transaction_index, FileStage stage = FileStage::live);

  [[nodiscard]] Offset base_offset() const { return base_offset_; }
  [[nodiscard]] uint32_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] std::string path(FileKind kind) const { return file_path(directory_, base_offset_, kind, stage_); }

  // Makes the file of a new segment.
  runtime::task<log_result<>> create();
  // Takes the size from the file that is there.
  runtime::task<log_result<>> open_existing();

  // Writes `parts` behind what is there and notes them in the indexes. After an error the segment is as before.
  runtime::task<log_result<>> append(std::span<const ByteView> parts, std::span<const protocol::RecordBatchHeader> batches,
                                     const LogConfig& config);

  struct RollQuestion {
    int64_t now_ms = 0;
    int64_t max_timestamp_ms = 0;  // of the append
    Offset last_offset;            // of the append
    uint32_t size_bytes = 0;       // of the append
  };
  // Whether the append belongs into a new segment.
  runtime::task<log_result<bool>> should_roll(RollQuestion question, const LogConfig& config);

  // The first batch that ends at `offset` or later; null if there is none. corrupt_message if the offset is among those known
  // to be damaged.
  runtime::task<log_result<std::optional<BatchPlace>>> find(Offset offset) { return find(offset, false); }
  // The same for readers: corrupt_message too if the index or the headers on the way to it cannot be right.
  runtime::task<log_result<std::optional<BatchPlace>>> find_strictly(Offset offset) { return find(offset, true); }
  // The offset that follows the last batch; the base offset if there is none.
  runtime::task<log_result<Offset>> read_next_offset();
  // The newest timestamp and an offset up to which it was reached; (-1, base) if no record has one.
  runtime::task<log_result<TimestampOffset>> max_timestamp();
  // Of the first batch; null without one.
  runtime::task<log_result<std::optional<int64_t>>> first_batch_timestamp();
  // What retention by time goes by: the newest timestamp, or when the file was changed last.
  runtime::task<log_result<int64_t>> largest_timestamp_ms();
  // Where to begin reading so that nothing of `offset` or above is missed.
  runtime::task<log_result<uint32_t>> position_near(Offset offset);
  struct IndexSizes {
    uint64_t offset_bytes = 0;
    uint64_t time_bytes = 0;
  };
  runtime::task<log_result<IndexSizes>> index_sizes();
  // An upper bound for the offsets in `size_bytes` bytes from `position`; null if they reach behind the last entry.
  runtime::task<log_result<std::optional<Offset>>> upper_bound_offset(uint32_t position, uint32_t size_bytes);
  // Where to begin looking for records of `timestamp_ms` or newer, from `start` on.
  runtime::task<log_result<uint32_t>> position_for_timestamp(int64_t timestamp_ms, Offset start);

  // What is known of the bytes in the file.
  [[nodiscard]] SegmentTrust& trust() { return trust_; }

  [[nodiscard]] TransactionIndex& transactions() { return transaction_index_; }
  runtime::task<> append_aborted(AbortedTransaction aborted);
  // Forgets the aborted transactions that ended at `offset` or later; the records stay.
  runtime::task<log_result<>> forget_aborted_from(Offset offset);
  runtime::task<log_result<bool>> collect_aborted(Offset from, Offset upper_bound, std::vector<AbortedTransaction>& into);

  // Cuts everything from `offset` on; gives the bytes cut.
  runtime::task<log_result<uint32_t>> truncate_to(Offset offset, int64_t now_ms);
  // Cuts the file, not the indexes; for recovery.
  runtime::task<log_result<>> truncate_file(uint32_t size_bytes);

  // No longer active: notes the last timestamp, cuts the indexes to their entries.
  runtime::task<log_result<>> finish(const LogConfig& config);
  // The same for indexes that were used or are expected, without making others; then the files are closed.
  runtime::task<log_result<>> close();
  void close_files();
  // Kafka makes the indexes of the segment that is active when a log is opened, so they are there after a close.
  void expect_indexes() { expects_indexes_ = true; }
  // The files to sync so that all up to now is on stable storage; what waits to be written to an index is written.
  runtime::task<log_result<std::vector<runtime::FilePtr>>> settle(const LogConfig& config);
  runtime::task<log_result<runtime::FilePtr>> log_file();

  // Builds both indexes again where one is missing or no index of this segment, past what is known to be damaged; the log
  // itself stays as it is. False: they end before a batch that is too far from the base offset.
  runtime::task<log_result<bool>> rebuild_indexes(LogConfig config);
  // For recovery: empties the indexes, then takes the batches of the file one by one.
  runtime::task<log_result<>> reset_indexes();
  runtime::task<log_result<>> index_recovered(const protocol::RecordBatchHeader& batch, uint32_t position, const LogConfig& config);
  runtime::task<log_result<>> finish_recovery();
  // For the last segment of a process that was killed: takes the indexes as far as they were written and agree with the
  // log. Gives the batch from which on the file is to be taken as in recovery; position 0 if there is no such entry.
  struct IndexedTo {
    Offset base_offset;  // of the batch
    uint32_t position = 0;
  };
  runtime::task<log_result<IndexedTo>> resume_indexes();
  // Learns both indexes, so that settle() gives them.
  runtime::task<log_result<>> load_indexes();
  [[nodiscard]] bool can_hold(Offset offset) const {
    return offset - base_offset_ >= 0 && offset - base_offset_ <= INT32_MAX;
  }
  // Too far from the base for an index to say (KAFKA-6264: older Kafkas compacted segments into such).
  [[nodiscard]] bool is_overflown_by(Offset offset) const { return offset - base_offset_ > INT32_MAX; }

  // Renames the files that are there to `stage`, the log first.
  runtime::task<log_result<>> change_stage(FileStage stage);
  // Before a segment gives its place to another while tasks may still read it: its files are opened and stay open as long
  // as the segment is held, whatever becomes of their names.
  runtime::task<log_result<>> keep_readable();
  // When the file was last changed; what retention goes by where no record has a timestamp.
  runtime::task<log_result<int64_t>> modified_ms();
  runtime::task<log_result<>> set_modified_ms(int64_t modified_ms);
  // Removes the files; for an output of compaction that is not needed.
  runtime::task<log_result<>> remove_files();

 private:
  runtime::task<log_result<>> need_offset_index();
  runtime::task<log_result<>> need_time_index();
  runtime::task<log_result<std::optional<BatchPlace>>> find(Offset offset, bool is_strict);
  [[nodiscard]] log_result<uint32_t> begin_beside_damage(Offset offset, uint32_t near) const;
  runtime::task<log_result<bool>> index_stretch(uint32_t begin, uint32_t end, const LogConfig& config);
  void note_batch(const protocol::RecordBatchHeader& batch, uint32_t position, uint32_t index_interval_bytes);
  runtime::task<log_result<>> write_indexes(uint32_t full_size_bytes);

  const std::string& directory_;
  Offset base_offset_;
  FileStage stage_;
  bool is_kept_readable_ = false;
  CachedFile log_;
  OffsetIndex offset_index_;
  TimeIndex time_index_;
  TransactionIndex transaction_index_;
  SegmentTrust trust_;
  uint32_t size_bytes_ = 0;
  uint32_t bytes_since_index_entry_ = 0;
  int64_t created_ms_;
  int64_t roll_jitter_ms_;
  bool expects_indexes_ = false;
  std::optional<int64_t> first_timestamp_ms_;      // of the first batch, once known
  std::optional<TimestampOffset> max_timestamp_;   // once known
  std::optional<BatchPlace> newest_batch_;         // that was appended, for the readers who wait for it
};

using SegmentPtr = std::shared_ptr<Segment>;

}  // namespace moldau::storage
