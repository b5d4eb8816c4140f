// StoppedPartition: the segments of a partition's directory that no log is opened on, for salvage.h.
//
// Used by one task on any shard. Segments are to be gone through in their order: transactions reach from one to the next.
#pragma once

#include "storage/open_files.h"
#include "storage/producer_state.h"
#include "storage/salvage.h"
#include "storage/segment_examination.h"

namespace moldau::storage {

class StoppedPartition {
 public:
  StoppedPartition(runtime::Environment& environment, std::string directory, SalvageProgress progress);

  // Opens the segments, and takes what a snapshot says of producers before the first of them. invalid_request without any.
  runtime::task<log_result<>> open();
  [[nodiscard]] const std::vector<SegmentPtr>& segments() const { return segments_; }
  [[nodiscard]] OpenFiles& open_files() { return open_files_; }

  // Has the segment judged (Segment::trust) and names its damage. Nothing says where the last one ends but its file.
  runtime::task<log_result<Examination>> examine(size_t n, std::vector<QuarantinedRange>& damage);
  // The transactions whose abort markers lie in the sound part of the segment.
  runtime::task<log_result<std::vector<AbortedTransaction>>> aborted_in(SegmentPtr segment);

 private:
  runtime::task<log_result<>> load_producers(const std::vector<Offset>& snapshots);

  runtime::Environment& environment_;
  OpenFiles open_files_;
  std::string directory_;
  SalvageProgress progress_;
  uint64_t bytes_ = 0;
  ProducerState producers_;
  std::vector<SegmentPtr> segments_;
};

// Replaces a segment's transaction index.
runtime::task<log_result<>> write_transactions(Segment& segment, std::vector<AbortedTransaction> aborted);
runtime::task<log_result<>> sync_segment(Segment& segment);

}  // namespace moldau::storage
