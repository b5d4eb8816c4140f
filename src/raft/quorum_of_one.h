// The KRaft quorum of a single node, without I/O: it is the only voter, so it leads as soon as it starts, in a new
// epoch, and what it has appended and flushed is committed.
//
// The owner (one thread) does what the values ask: writes quorum-state before anything else of a new epoch, appends
// batches to the log in order, flushes, reports with flushed(). open() is given everything found at start; the log's
// records are read by the owner and passed through apply() in order before start() is called.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "protocol/messages/describe_quorum_request.h"
#include "protocol/messages/describe_quorum_response.h"
#include "raft/metadata_batch.h"
#include "raft/quorum_state.h"
#include "raft/snapshot_file.h"
#include "raft/voters.h"

namespace moldau::raft {

struct QuorumOptions {
  int32_t node_id = 1;
  Uuid directory_id;                             // of the metadata directory
  std::vector<VoterEndpoint> endpoints;          // of this node's controller listeners; may be empty
  std::vector<int32_t> static_voters;            // controller.quorum.voters; empty for a dynamic quorum
  int64_t max_bytes_between_snapshots = 20971520;  // metadata.log.max.record.bytes.between.snapshots
  int64_t max_snapshot_interval_ms = 3600000;      // metadata.log.max.snapshot.interval.ms; 0: never by time
};

class QuorumOfOne {
 public:
  // `state` is the quorum-state file if there is one; `snapshot` the newest complete snapshot, if there is one (also
  // 0-0, which holds only the voters). `is_log_empty`: neither log records nor a snapshot beyond 0.
  [[nodiscard]] static result<QuorumOfOne, std::string> open(QuorumOptions options, std::optional<QuorumState> state,
                                                             const Snapshot* snapshot, SnapshotId snapshot_id);

  // Each batch of the log after the snapshot, in order: control records take effect here; data records are the
  // owner's. An error is a sentence: a voter set that is not this node alone, an offset or epoch out of order.
  [[nodiscard]] result<void, std::string> apply(const MetadataBatch& batch);

  // Becomes leader of the next epoch. `quorum_state` must be on disk before `batch` is appended. On an empty log of a
  // dynamic quorum the batch holds kraft.version and the voters too; also where this node's endpoints have changed.
  struct Leadership {
    std::string quorum_state;
    Bytes batch;
  };
  [[nodiscard]] result<Leadership, std::string> start(int64_t now_ms);

  // One batch with these values at the log's end. At least one value.
  [[nodiscard]] Bytes append(std::span<const Bytes> values, int64_t now_ms);

  // All up to here is on disk: it is committed.
  void flushed(Offset end_offset);

  // Nothing of the last batch got into the log (a full disk): the next one takes its place.
  void forget_unflushed() { log_end_offset_ = high_watermark_; }

  [[nodiscard]] LeaderEpoch epoch() const { return epoch_; }
  [[nodiscard]] Offset log_end_offset() const { return log_end_offset_; }
  [[nodiscard]] Offset high_watermark() const { return high_watermark_; }
  [[nodiscard]] int16_t kraft_version() const { return kraft_version_; }
  [[nodiscard]] const std::vector<Voter>& voters() const { return voters_; }
  [[nodiscard]] int64_t last_timestamp_ms() const { return last_timestamp_ms_; }

  // Whether the owner should write a snapshot of what is committed, by size or by age.
  [[nodiscard]] bool wants_snapshot(int64_t now_ms) const;
  // The id that a snapshot of all up to `end_offset` has, which must be committed and the end of a batch.
  [[nodiscard]] SnapshotId snapshot_id(Offset end_offset) const;
  // The file's bytes: `records` are the values of the image's records.
  [[nodiscard]] Bytes snapshot_bytes(SnapshotId id, std::vector<Bytes> records, int64_t last_timestamp_ms,
                                     int64_t now_ms) const;
  // The snapshot is on disk under its name.
  void snapshot_written(SnapshotId id, int64_t now_ms);

  [[nodiscard]] protocol::DescribeQuorumResponse describe(const protocol::DescribeQuorumRequest& request,
                                                          int64_t now_ms) const;

 private:
  explicit QuorumOfOne(QuorumOptions options) : options_(std::move(options)) {}
  [[nodiscard]] result<void, std::string> check_voters() const;
  Bytes appended(Bytes batch, int32_t count, int64_t now_ms);

  struct EpochStart {
    LeaderEpoch epoch;
    Offset offset;
  };

  QuorumOptions options_;
  LeaderEpoch epoch_{0};
  Offset log_end_offset_{0};
  Offset high_watermark_{0};
  int16_t kraft_version_ = 0;
  std::vector<Voter> voters_;
  bool voters_in_log_ = false;             // in the log or in a snapshot beyond 0
  bool kraft_version_in_log_ = false;
  std::vector<EpochStart> epoch_starts_;   // in order
  int64_t last_timestamp_ms_ = 0;
  int64_t bytes_since_snapshot_ = 0;
  std::optional<int64_t> snapshot_time_ms_;  // of the last one, or of the start
  SnapshotId latest_snapshot_{};
  bool is_leader_ = false;
};

// Which old snapshots may go and up to where the log may be cut, under metadata.max.retention.bytes and .ms. The newest
// snapshot always stays.
struct SnapshotFound {
  SnapshotId id;
  int64_t size_bytes = 0;
  int64_t last_contained_timestamp_ms = 0;
};
struct Cleaning {
  std::vector<SnapshotId> snapshots_to_delete;
  std::optional<Offset> new_log_start;  // the oldest snapshot that stays
};
[[nodiscard]] Cleaning clean_metadata_log(std::vector<SnapshotFound> snapshots, int64_t log_size_bytes,
                                          Offset log_start, int64_t now_ms, int64_t retention_bytes,
                                          int64_t retention_ms);

}  // namespace moldau::raft
