// A snapshot of the metadata log as a file: its name, its bytes, and reading it back (KIP-630).
//
// A header batch (with kraft.version and the voters from kraft.version 1 on), the records of an image, a footer batch.
// Offsets inside count from 0; what the snapshot stands for is in its name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "raft/voters.h"

namespace moldau::raft {

// Everything before `end_offset`, whose last record was written in `epoch`.
struct SnapshotId {
  Offset end_offset{0};
  LeaderEpoch epoch{0};
  friend auto operator<=>(const SnapshotId&, const SnapshotId&) = default;
};

// 00000000000000000258-0000000001.checkpoint
[[nodiscard]] std::string snapshot_file_name(SnapshotId id);
// Null for any other file's name, parts and deleted ones (".part", ".deleted") among them.
[[nodiscard]] std::optional<SnapshotId> parse_snapshot_file_name(std::string_view name);

struct Snapshot {
  int64_t last_contained_log_timestamp_ms = 0;
  int16_t kraft_version = 0;
  std::optional<std::vector<Voter>> voters;  // from kraft.version 1 on
  std::vector<Bytes> records;                // values of metadata records
};

// `id` gives the batches their leader epoch.
[[nodiscard]] Bytes write_snapshot(const Snapshot& snapshot, SnapshotId id, int64_t now_ms);
// The error is a sentence. A snapshot without its footer is incomplete, which is an error.
[[nodiscard]] result<Snapshot, std::string> read_snapshot(ByteView bytes);

}  // namespace moldau::raft
