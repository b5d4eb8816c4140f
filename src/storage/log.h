// Log: one partition's records, on disk as Apache Kafka keeps them.
//
// A Log lives on one shard; everything is called there. Whatever changes it runs one at a time in the order of the
// calls (a mutex that only suspends when somebody else does); reading needs no turn. Operations give storage::Error;
// its code is what a client would be told. After an I/O error that is not a full disk the directory is offline and every
// operation says so. A full disk fails the append, leaves the log as it was, and the next append may succeed;
// where only the flush that flush.messages asks for found no room, the records are there all the same.
// It does not know who leads: leadership, replication and the purgatories are the broker's. Kafka: UnifiedLog.
//
// docs/internals/log.md says how the parts work together.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/scope.h"
#include "runtime/signal.h"
#include "storage/leader_epochs.h"
#include "storage/log_types.h"
#include "storage/producer_state.h"
#include "storage/segment.h"

namespace moldau::storage {

struct Examination;
struct ExaminationTerms;
struct PreparedAppend;
struct SnapshotProducer;

class Log {
 public:
  // Loads what is in the directory (made if missing), recovering it if the last stop was not clean. See recovery.md.
  static runtime::task<log_result<std::unique_ptr<Log>>> open(LogOptions options, LoadReport* report = nullptr);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  [[nodiscard]] const std::string& topic() const { return options_.topic; }
  [[nodiscard]] int32_t partition() const { return options_.partition; }
  [[nodiscard]] const std::string& directory() const { return options_.directory; }
  [[nodiscard]] const std::string& log_dir() const { return options_.health->path(); }
  [[nodiscard]] const DirectoryHealthPtr& health() const { return options_.health; }
  [[nodiscard]] bool is_offline() const { return options_.health->is_offline(); }
  [[nodiscard]] std::optional<Uuid> topic_id() const { return options_.topic_id; }
  // For a log that was opened without one. inconsistent_topic_id if it has another.
  runtime::task<log_result<>> assign_topic_id(Uuid topic_id);

  // --- offsets ---
  [[nodiscard]] Offset log_start_offset() const { return log_start_offset_; }
  [[nodiscard]] Offset log_end_offset() const { return end_.offset; }
  [[nodiscard]] Offset high_watermark() const { return high_watermark_.offset; }
  // What readers of committed data may see: below the high watermark and below the first open transaction.
  [[nodiscard]] Offset last_stable_offset() const;
  [[nodiscard]] std::optional<Offset> first_unstable_offset() const { return first_unstable_; }
  // Everything below is on stable storage.
  [[nodiscard]] Offset recovery_point() const { return recovery_point_; }
  // Everything below is on stable storage, though indexes and snapshots may have to be built again: at least the recovery
  // point, and as far as the last commit went (group_commit.h).
  [[nodiscard]] Offset durable_end_offset() const { return durable_end_; }
  // Sets the high watermark, kept between log start and log end; gives what it became.
  Offset update_high_watermark(Offset to);

  // --- append ---
  // Checks the batch, gives it offsets, the leader epoch and perhaps the time, and writes it.
  runtime::task<log_result<AppendInfo>> append_as_leader(LeaderAppend append);
  // Writes a leader's batches as they are. Batches of an epoch above `leader_epoch` and what follows them are left out.
  // unknown_server_error for offsets that do not continue the log.
  runtime::task<log_result<AppendInfo>> append_as_follower(ByteView records, LeaderEpoch leader_epoch);
  // A guard for append_as_leader, before the coordinator is asked (KIP-890); 0: the transaction is open already.
  uint64_t start_verification(ProducerId id, int32_t sequence, ProducerEpoch epoch, bool supports_epoch_bump);
  [[nodiscard]] bool has_ongoing_transaction(ProducerId id, ProducerEpoch epoch) const {
    return producers_.has_ongoing_transaction(id, epoch);
  }

  // --- read ---
  // At most `max_bytes` from the batch that holds `from` on, all in one segment; the first batch whole, however long, if
  // `min_one_batch`. offset_out_of_range below the log start and above the log end.
  runtime::task<log_result<ReadInfo>> read(Offset from, uint32_t max_bytes, bool min_one_batch, ReadIsolation isolation);
  // ListOffsets: the first record of this time or newer, or what a special timestamp names; null if there is none.
  // For latest_timestamp the log end; the caller knows about high watermark and isolation.
  runtime::task<log_result<std::optional<FoundOffset>>> offset_for_timestamp(int64_t timestamp_ms);

  // --- leader epochs ---
  [[nodiscard]] std::optional<LeaderEpoch> latest_epoch() const;
  [[nodiscard]] const LeaderEpochs& leader_epochs() const { return epochs_; }
  // Null: nothing is known of this epoch (KIP-320: undefined).
  [[nodiscard]] std::optional<EpochEnd> end_offset_for_epoch(LeaderEpoch epoch) const {
    return epochs_.end_of(epoch, end_.offset);
  }
  // A new leader notes that its epoch begins at the log end.
  runtime::task<log_result<>> assign_epoch_start(LeaderEpoch epoch, Offset start_offset);
  // The same at the log end, in memory alone: the file follows with the first append of the epoch. What a node that
  // starts with ten thousand partitions calls; an epoch in which nothing was written need not outlive the process.
  void note_epoch_start(LeaderEpoch epoch) {
    if (epochs_.assign(epoch, end_.offset)) epochs_changed_ = true;
  }

  // --- shape ---
  // Begins a new segment; gives its base offset.
  runtime::task<log_result<Offset>> roll();
  // Forgets everything from `offset` on. False: the log ends before it.
  runtime::task<log_result<bool>> truncate_to(Offset offset);
  // Forgets everything and goes on at `offset`.
  runtime::task<log_result<>> truncate_fully_and_start_at(Offset offset);
  // Moves the log start (DeleteRecords). False: it was there already. offset_out_of_range above the high watermark.
  runtime::task<log_result<bool>> delete_records_before(Offset offset);
  // Deletes old segments by log start, size and time; gives how many. Their files go after file.delete.delay.ms.
  runtime::task<log_result<int>> delete_old_segments();
  // Removes the files whose delay is over. For the owner's clockwork, and before close().
  runtime::task<log_result<>> remove_deleted_files(int64_t now_ms);

  // --- damage (log_damage.cc, docs/internals/scrubbing.md) ---
  // Reads a segment whole and checks all of it: what is damaged is quarantined, an index that is wrong is built again.
  // False: it was stopped, or the segment went meanwhile.
  runtime::task<log_result<bool>> examine(SegmentPtr segment, const ExaminationTerms& terms);
  // What no reader is given, by offset.
  [[nodiscard]] std::vector<QuarantinedRange> quarantined() const;

  // --- compaction, for compaction/log_cleaning.h ---
  // The segments that may hold offsets in [from, to).
  [[nodiscard]] std::vector<SegmentPtr> segments_between(Offset from, Offset to) const;
  // The aborted transactions that overlap [from, to).
  runtime::task<log_result<std::vector<AbortedTransaction>>> aborted_between(Offset from, Offset to);
  // An empty segment in the `.cleaned` stage, which is none of the log's yet.
  runtime::task<log_result<SegmentPtr>> make_cleaned_segment(Offset base_offset);
  // Removes such a segment, as far as the disk lets it.
  runtime::task<> discard_cleaned_segment(SegmentPtr segment);
  // Puts a finished one in the place of neighbouring segments, the first of which has its base. Safe at every crash point;
  // who reads a replaced segment goes on reading it. False: the log changed meanwhile, and the output is discarded.
  runtime::task<log_result<bool>> swap_in(SegmentPtr cleaned, std::vector<SegmentPtr> replaced);
  [[nodiscard]] Offset active_base_offset() const { return segments_.rbegin()->first; }

  // --- durability ---
  // Puts everything on stable storage.
  runtime::task<log_result<>> flush();
  [[nodiscard]] bool is_flush_due(int64_t now_ms) const;
  // A commit: the files to sync so that all records up to `end` are on stable storage, and its end once they are synced.
  struct Commit {
    Offset end{0};
    uint64_t truncations = 0;
    std::vector<runtime::FilePtr> files;
    bool has_new_files = false;  // then the directory is to be synced too
  };
  runtime::task<log_result<Commit>> begin_commit();
  void end_commit(const Commit& commit);

  // --- producers ---
  runtime::task<log_result<>> take_producer_snapshot();
  void expire_producers() { producers_.expire(expiry_now_ms()); }
  [[nodiscard]] std::vector<ActiveProducer> active_producers() const;
  [[nodiscard]] const ProducerState& producers() const { return producers_; }

  // --- the rest ---
  [[nodiscard]] runtime::Environment& environment() const { return *options_.environment; }
  // The time for everything that is deleted for its age.
  [[nodiscard]] int64_t expiry_now_ms() const {
    return options_.clock != nullptr ? options_.clock->now_ms() : now_ms();
  }
  [[nodiscard]] const LogConfig& config() const { return options_.config; }
  void update_config(const LogConfig& config) { options_.config = config; }
  [[nodiscard]] uint64_t size_bytes() const;
  [[nodiscard]] std::vector<SegmentInfo> segments() const;
  [[nodiscard]] size_t segment_count() const { return segments_.size(); }

  // Writes what a clean stop leaves behind and closes the files; flush() first. No other call may be running or follow.
  runtime::task<log_result<>> close();
  // Closes the files without writing anything: for a log whose directory failed, or that is about to be removed.
  runtime::task<> abandon();
  // Renames the directory within its parent, to "NAME" (deletion: see LogDirectory).
  runtime::task<log_result<>> rename_directory(std::string name);
  // Has the name of the directory outlast a power cut.
  runtime::task<log_result<>> sync_name();

  // --- giving its place to a copy in another log directory, for future_log.h ---
  // Whatever would change the log waits until this is given back.
  [[nodiscard]] runtime::task<runtime::Mutex::Held> hold_changes() { return mutex_.lock(); }
  // What waited finds the log closed: another one has its place. Readers go on.
  void close_to_changes() { is_closed_ = true; }
  [[nodiscard]] bool is_closed() const { return is_closed_; }
  // Moves an end that lies before `offset` there, where the other log ends behind offsets that no record has.
  runtime::task<log_result<>> end_at(Offset offset);
  // Replaces what this log made of its records by what the other one knows, which ends where this one does.
  runtime::task<log_result<>> take_producers_of(const Log& current);

 private:
  friend class LogLoader;

  // An offset and where it is: at a position of a segment, or not known yet (segment_base = no_offset).
  struct Place {
    Offset offset{0};
    Offset segment_base = no_offset;
    uint32_t position = 0;
  };
  struct DeletedFile {
    int64_t due_ms = 0;
    std::string path;
  };

  explicit Log(LogOptions options);

  [[nodiscard]] int64_t now_ms() const { return options_.environment->wall_clock_ms(); }
  [[nodiscard]] Error closed_error() const {
    return Error(protocol::ErrorCode::kafka_storage_error, directory() + " is closed");
  }
  [[nodiscard]] runtime::FileSystem& files() const { return options_.environment->files(); }
  [[nodiscard]] Segment& active() const { return *segments_.rbegin()->second; }
  [[nodiscard]] SegmentPtr floor_segment(Offset offset) const;
  [[nodiscard]] SegmentPtr higher_segment(Offset base_offset) const;
  SegmentPtr make_segment(Offset base_offset, bool has_transaction_index = false);
  // Hands an error on, having told the directory of it.
  [[nodiscard]] Error noted(Error error) const {
    options_.health->note(error);
    return error;
  }
  void set_end(Offset offset) { end_ = {offset, active().base_offset(), active().size_bytes()}; }
  void set_high_watermark(Place to);
  void follow_end_with_high_watermark() {
    if (high_watermark_.offset >= end_.offset) set_high_watermark(end_);
  }
  void update_first_unstable();
  void set_log_start(Offset to);
  runtime::task<log_result<Place>> resolve(Place place);
  runtime::task<log_result<>> collect_aborted(Offset from, SegmentPtr segment, ReadInfo& info);

  runtime::task<log_result<>> write_what_a_stop_leaves();

  // log_damage.cc
  runtime::task<log_result<>> make_known(SegmentPtr segment, uint32_t begin, uint32_t end);
  runtime::task<log_result<bool>> check_part(SegmentPtr segment, uint32_t begin, uint32_t end);
  runtime::task<log_result<std::optional<BatchPlace>>> find_for_reader(SegmentPtr segment, Offset offset);
  // Whether a segment that a reader holds has been taken out of the log meanwhile, or is about to be.
  [[nodiscard]] bool is_gone(const SegmentPtr& segment) const;
  [[nodiscard]] std::vector<SegmentPtr> all_segments() const;
  runtime::task<log_result<std::optional<FoundOffset>>> newest_record();
  runtime::task<log_result<std::optional<FoundOffset>>> first_record_since(int64_t timestamp_ms);
  runtime::task<log_result<std::optional<FoundOffset>>> search_segment(SegmentPtr segment, int64_t timestamp_ms);
  runtime::task<log_result<std::optional<FoundOffset>>> search_checked(SegmentPtr segment, uint32_t position, int64_t timestamp_ms,
                                                                       Offset start);
  [[nodiscard]] Offset limit_of(const Segment& segment) const;
  void take_verdict(SegmentPtr segment, const Examination& found);
  runtime::task<log_result<>> mend_indexes(SegmentPtr segment, const Examination& found);

  // log_append.cc; the mutex is held
  [[nodiscard]] bool needs_flush_now() const { return end_.offset - recovery_point_ >= config().flush_messages; }
  runtime::task<log_result<AppendInfo>> write_prepared(PreparedAppend& prepared, AppendOrigin origin, uint64_t guard,
                                                       int transaction_version);
  log_result<> check_producers(PreparedAppend& prepared, AppendOrigin origin, uint64_t guard, int transaction_version);
  runtime::task<log_result<>> note_epochs(const PreparedAppend& prepared);

  // log_roll.cc; the mutex is held
  runtime::task<log_result<>> roll_locked(Offset at_least);
  runtime::task<> flush_in_background(Offset below);
  runtime::task<log_result<>> flush_below(Offset offset);
  // What a flush of [from, offset) has to put on stable storage.
  struct Unsynced {
    std::vector<runtime::FilePtr> files;
    bool has_new_names = false;  // so the directory as well
    Offset active_base;          // of the segment that was active then
  };
  runtime::task<log_result<Unsynced>> unsynced_files(Offset from, Offset offset);
  // A flush has failed: the directory goes offline, and the next start is told.
  runtime::task<Error> flush_failed(runtime::IoError error);
  runtime::task<log_result<>> write_epochs();
  // The same, but a full disk is no error: the next append writes them, and a start drops what lies below the log start.
  runtime::task<log_result<>> write_epochs_if_room();

  [[nodiscard]] std::vector<SegmentPtr> segments_from_end(std::map<Offset, SegmentPtr>::const_iterator first) const;
  runtime::task<log_result<>> sync_active();

  // log_retention.cc, log_truncate.cc; the mutex is held
  runtime::task<log_result<>> advance_log_start(Offset to);
  runtime::task<log_result<>> remove_segments(std::vector<SegmentPtr> removed);
  runtime::task<log_result<int>> delete_prefix(size_t count);

  runtime::task<log_result<>> finish_cleaned(SegmentPtr cleaned, SegmentPtr last_replaced);
  // log_compaction.cc; the mutex is held
  runtime::task<log_result<>> swap_in_locked(SegmentPtr cleaned, std::vector<SegmentPtr> replaced);
  void forget_places_in(const std::vector<SegmentPtr>& segments);
  runtime::task<log_result<int>> delete_old_segments_locked();
  runtime::task<log_result<bool>> truncate_locked(Offset offset);
  runtime::task<log_result<>> truncate_fully_locked(Offset offset);

  // log_producers.cc; the mutex is held
  runtime::task<log_result<>> write_snapshot(bool sync);
  // Now and then as the log grows, so that a start after a kill need not read all of a segment for its producers.
  runtime::task<> write_passing_snapshot();
  void note_replay_cost(const protocol::RecordBatchHeader& batch);
  [[nodiscard]] bool is_far_from_snapshot() const;
  runtime::task<log_result<>> load_snapshot(Offset first, int64_t now_ms);
  runtime::task<log_result<>> end_cleaned_transaction(ProducerEntry& entry);
  runtime::task<log_result<>> reload_producers(Offset first, Offset end);
  runtime::task<log_result<>> rebuild_producers(Offset end, bool after_clean_stop);
  runtime::task<log_result<std::vector<SnapshotProducer>>> producers_gone_before(Offset first, Offset snapshot);
  // `notes_aborted`: the segment's transaction index is to be completed as well.
  runtime::task<log_result<>> replay_producers(SegmentPtr segment, Offset from, Offset end, bool notes_aborted = false);
  // Before the records below `first_kept` go: the snapshot that says what they said of their producers is put on stable
  // storage, for a repeat of one of them must be known as one after a power cut too.
  runtime::task<log_result<>> keep_producers(Offset first_kept);
  // False: there was none.
  bool forget_snapshot(Offset offset);
  runtime::task<log_result<>> remove_snapshot(Offset offset);
  // Marks the snapshots that stand at the segments' bases for deletion.
  runtime::task<log_result<>> delete_snapshots_of(const std::vector<SegmentPtr>& segments);

  LogOptions options_;
  std::map<Offset, SegmentPtr> segments_;  // never empty once loaded
  Place end_;
  Place high_watermark_;
  Offset log_start_offset_{0};
  Offset recovery_point_{0};
  Offset durable_end_{0};
  Offset removed_below_{0};  // unflushed segments below it were removed: until the directory is synced a power cut brings them back
  struct {
    Offset from = no_offset;
    Offset to = no_offset;
  } recordless_;  // where a truncation into a batch has left no record, though the log ended behind it
  int64_t last_flush_ms_ = 0;
  LeaderEpochs epochs_;
  bool epochs_changed_ = false;  // the file does not say what epochs_ says
  ProducerState producers_;
  std::optional<Offset> first_unstable_;
  Place unstable_place_;              // where first_unstable_ is, once a reader asked
  std::vector<Offset> snapshots_;     // rising
  Offset last_snapshot_{0};
  Offset passing_snapshot_ = no_offset;    // one between segments' bases, that goes when the next is written
  uint64_t replay_cost_since_snapshot_ = 0;  // bytes that a replay would read
  std::vector<DeletedFile> deleted_files_;
  runtime::Mutex mutex_;
  runtime::Mutex flushing_;
  runtime::Mutex checking_;  // of what is read for the first time: who wants the same part waits, and finds it checked
  runtime::Scope background_;
  uint64_t truncations_ = 0;  // counts them, for a flush or commit that runs meanwhile
  uint64_t swaps_ = 0;        // counts them (compaction), for a read that runs meanwhile
  bool is_closed_ = false;
};

}  // namespace moldau::storage
