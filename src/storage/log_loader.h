// LogLoader: from the files of a partition's directory to a Log that can be used, once, when the log is opened.
//
// The steps and their order are Kafka's (LogLoader), so that either finds what it expects after the other:
// leftovers of deletion and compaction, segments, recovery of what may not have been flushed, a log start beyond the end,
// leader epochs, producers. Where Kafka would cut damaged records that were once flushed, they are kept or set aside and
// reported. docs/internals/recovery.md has the whole story.
#pragma once

#include <string>
#include <vector>

#include "storage/log.h"

namespace moldau::storage {

class LogLoader {
 public:
  LogLoader(Log& log, LoadReport& report) : log_(log), report_(report) {}
  runtime::task<log_result<>> load();

 private:
  // log_leftovers.cc
  runtime::task<log_result<>> clear_leftovers();
  runtime::task<log_result<>> finish_swaps(const std::vector<SegmentFileName>& swaps);
  runtime::task<log_result<>> read_small_files();
  runtime::task<log_result<>> open_segments();
  runtime::task<log_result<Offset>> find_end();
  void set_offsets(Offset end);
  runtime::task<log_result<>> load_producers(Offset end);
  runtime::task<log_result<>> recover_unflushed();
  // Gives the segment that must be split before recovery begins anew; null when it is done.
  runtime::task<log_result<SegmentPtr>> recover_until_overflow();
  // `cut`: what follows cannot be right. `overflown`: recovery did not reach the segment's end.
  enum class Recovered : uint8_t { whole, cut, overflown };
  // From `from` on, a place where a batch begins; the producers of what lies below their end offset are known.
  runtime::task<log_result<Recovered>> recover(SegmentPtr segment, uint32_t from_position = 0);
  // log_kill.cc: the process was killed and the machine ran on. Reads the end of the last segment alone.
  runtime::task<log_result<>> recover_killed();
  runtime::task<log_result<Recovered>> recover_end(SegmentPtr last);
  runtime::task<log_result<uint32_t>> skim(SegmentPtr last, uint32_t from_position);
  // log_recall.cc; the log ends at `end`.
  runtime::task<log_result<>> recall_batches(Offset end);
  // log_rewrite.cc: puts what a failed flush may have kept from the medium there.
  runtime::task<log_result<>> rewrite_unflushed();
  runtime::task<log_result<>> rewrite(SegmentPtr segment);
  runtime::task<log_result<>> feed_recovered(SegmentPtr segment, const protocol::RecordBatchHeader& batch, ByteView bytes);
  void note_epoch(const protocol::RecordBatchHeader& batch);
  runtime::task<log_result<>> set_aside(SegmentPtr segment, uint32_t from_position);
  runtime::task<log_result<>> drop_segments_after(Offset base_offset, bool set_aside);
  runtime::task<log_result<>> drop(const std::vector<SegmentPtr>& segments);
  // log_split.cc: makes several segments of one whose offsets are too far apart for its indexes.
  struct Piece {
    Offset base_offset;
    uint32_t begin = 0;  // in the segment's file
    uint32_t end = 0;
  };
  runtime::task<log_result<>> split(SegmentPtr segment);
  runtime::task<log_result<>> split_overflown();
  runtime::task<log_result<std::vector<Piece>>> pieces_of(SegmentPtr segment);
  runtime::task<log_result<>> write_piece(SegmentPtr from, Piece piece);
  [[nodiscard]] std::string path(const SegmentFileName& name) const {
    return file_path(log_.directory(), name.base_offset, name.kind, name.stage);
  }
  [[nodiscard]] bool has_file(Offset base_offset, FileKind kind) const;
  void damaged(std::string what);

  Log& log_;
  LoadReport& report_;
  std::vector<std::string> other_files_;    // names that are none of a segment's
  std::vector<SegmentFileName> files_;      // live ones, by base offset
};

}  // namespace moldau::storage
