// Checks the files of a log, as bytes: pure, so that each kind of damage has its test.
//
// What is reported is what a broker would stumble over: bytes that do not frame, checksums, records that do
// not read, offsets that do not rise, index entries that point nowhere. A cut-off batch at the end of the
// last segment is named too: after a crash it is expected, and a start cuts it off.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/batch_error.h"

namespace moldau::cli {

struct Damage {
  std::string path;
  uint64_t position = 0;  // in the file
  std::string what;
};

struct CheckedBatch {
  uint64_t position = 0;
  int64_t base_offset = -1;
  int64_t last_offset = -1;
  int64_t max_timestamp_ms = -1;
};

struct CheckedSegment {
  std::vector<CheckedBatch> batches;
  int64_t records = 0;
  uint64_t valid_bytes = 0;  // whole batches reach so far
};

// Why no batch begins where `bytes` begin, for a person.
[[nodiscard]] std::string why_unframed(ByteView bytes, const protocol::BatchError& error);

// `base_offset` is the one in the file's name (-1: unknown), `previous_end` the first offset that the segment
// before it does not have (-1: there is none).
[[nodiscard]] CheckedSegment check_segment(const std::string& path, ByteView bytes, int64_t base_offset,
                                           int64_t previous_end, std::vector<Damage>& damage);

// Against the segment that they index. Zeros at the end are room that was set aside, as in an active
// segment's files.
void check_offset_index(const std::string& path, ByteView bytes, int64_t base_offset,
                        const CheckedSegment& segment, std::vector<Damage>& damage);
void check_time_index(const std::string& path, ByteView bytes, int64_t base_offset,
                      const CheckedSegment& segment, std::vector<Damage>& damage);
void check_transaction_index(const std::string& path, ByteView bytes, std::vector<Damage>& damage);
void check_producer_snapshot(const std::string& path, ByteView bytes, std::vector<Damage>& damage);
// leader-epoch-checkpoint and the per-directory checkpoints: version, count, entries.
void check_text_checkpoint(const std::string& path, std::string_view text, std::vector<Damage>& damage);

inline constexpr size_t offset_index_entry_bytes = 8;
inline constexpr size_t time_index_entry_bytes = 12;
inline constexpr size_t transaction_index_entry_bytes = 34;
inline constexpr size_t producer_snapshot_header_bytes = 10;
inline constexpr size_t producer_snapshot_entry_bytes = 46;

}  // namespace moldau::cli
