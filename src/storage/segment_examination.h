// Examination of a segment: every byte of it is read and every batch checked, and so are its indexes against it.
//
// Where something is wrong the walk goes on at the next batch that is right: where the damaged one says that it ends, if that
// can be believed, else wherever a batch is found whose offsets fit in, whose checksum is right and which another one follows.
// Nothing is written. Runs on the log's shard, the work on bytes off it, a block at a time.
#pragma once

#include <functional>

#include "runtime/environment.h"
#include "storage/segment.h"

namespace moldau::storage {

struct ExaminationTerms {
  uint32_t block_bytes = 512 * 1024;
  bool leaves_cache = false;  // what it reads is not kept in the page cache for it
  bool indexes_have_room = false;  // of a segment that was active when its process died: zeros behind their entries
  // Waits until so many bytes more may be read; none: no limit.
  std::function<runtime::task<void>(uint64_t bytes)> throttle;
  // Asked between blocks; true ends the examination.
  std::function<bool()> should_stop;
};

struct Examination {
  bool is_finished = false;  // else it was stopped, and the rest says nothing
  uint32_t size_bytes = 0;   // of the segment when it began
  uint64_t bytes_read = 0;
  std::vector<DamagedRange> damage;
  Offset end_offset;         // behind the last sound batch
  std::string offset_index_fault;
  std::string time_index_fault;
  std::string transaction_index_fault;
};

// `limit`: no record of the segment is at or above. An active segment's indexes are not looked at.
runtime::task<log_result<Examination>> examine_segment(runtime::Environment& environment, SegmentPtr segment, Offset limit,
                                                       bool is_active, const ExaminationTerms& terms);

}  // namespace moldau::storage
