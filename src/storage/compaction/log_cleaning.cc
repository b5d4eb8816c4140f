#include "storage/compaction/log_cleaning.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mutant.h"
#include "storage/compaction/map_building.h"
#include "storage/compaction/segment_groups.h"
#include "storage/compaction/segment_reader.h"
#include "storage/run_file.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

namespace {

constexpr size_t kept_bytes_enough = 512 << 10;  // what a turn leaves to be written; a shard does that in its own time

LastRecords last_records_of(const ProducerState& producers) {
  LastRecords last;
  for (const auto& [id, entry] : producers.producers()) last.emplace(id, LastRecord{entry.last_data_offset(), entry.epoch});
  return last;
}

// What a round goes by (a newer record of a key, the end of a transaction) must outlast a power cut, for what goes was on stable storage.
task<log_result<>> commit_records(Log& log) {
  if (MOLDAU_MUTANT("compaction-by-unsynced-records")) co_return log_result<>{};
  MOLDAU_CO_TRY(const Log::Commit commit, co_await log.begin_commit());
  runtime::FileSystem& files = log.environment().files();
  runtime::io_result<> synced;
  for (const FilePtr& file : commit.files)
    if (synced) synced = co_await file->sync();
  if (synced && commit.has_new_files) synced = co_await files.sync_directory(log.directory());
  if (!synced) {
    co_await record_failed_flush(files, log.health(), synced.error().message());
    co_return fail(Error(synced.error()));
  }
  if (log.is_offline()) co_return fail(log.health()->offline_error());  // another flush has failed meanwhile, so this one proves nothing
  log.end_commit(commit);
  co_return log_result<>{};
}

class Round {
 public:
  Round(Log& log, CleaningRange range, const CleaningTerms& terms)
      : log_(log), range_(range), terms_(terms), map_(make_map(log, range, terms)) {}

  task<log_result<CleaningOutcome>> run() {
    MOLDAU_CO_TRY(const bool is_built, co_await build_map());
    if (!is_built) co_return std::move(outcome_);
    outcome_.map_utilization = map_.utilization();
    const Offset end = map_.latest_offset() + 1;
    rules_ = make_rules();
    MOLDAU_CO_TRY(const int64_t legacy_horizon_ms, co_await find_legacy_horizon());
    legacy_horizon_ms_ = legacy_horizon_ms;
    const std::vector<SegmentPtr> segments = log_.segments_between(Offset(0), end);
    MOLDAU_CO_TRY(const std::vector<size_t> groups, co_await group(segments));
    CleanedTransactions transactions;
    auto at = segments.begin();
    for (const size_t count : groups) {
      MOLDAU_CO_TRY(const bool is_swapped, co_await clean_group({at, at + static_cast<ptrdiff_t>(count)}, transactions));
      if (!is_swapped) co_return std::move(outcome_);
      at += static_cast<ptrdiff_t>(count);
    }
    outcome_.is_finished = true;
    outcome_.next_dirty = end;
    co_return std::move(outcome_);
  }

 private:
  static OffsetMap make_map(Log& log, const CleaningRange& range, const CleaningTerms& terms) {
    const auto keys = static_cast<uint64_t>(std::max<int64_t>(range.first_uncleanable - range.first_dirty, 0));
    runtime::Environment& environment = log.environment();
    return OffsetMap(terms.map, keys, KeyHasher(environment.random(), environment.random()));
  }

  [[nodiscard]] CleaningRules make_rules() const {
    const LogConfig& config = log_.config();
    CleaningRules rules;
    rules.now_ms = log_.expiry_now_ms();
    rules.delete_retention_ms = config.delete_retention_ms;
    rules.upper_bound = range_.first_uncleanable;
    rules.levels = {config.gzip_level, config.lz4_level, config.zstd_level};
    return rules;
  }

  // Tombstones of magic 0 and 1 go by the age of their segment, against that of the last one which was clean already.
  task<log_result<int64_t>> find_legacy_horizon() {
    const std::vector<SegmentPtr> clean = log_.segments_between(Offset(0), range_.first_dirty);
    if (clean.empty() || clean.front()->base_offset() >= range_.first_dirty) co_return 0;
    MOLDAU_CO_TRY(const int64_t modified_ms, co_await clean.back()->modified_ms());
    co_return modified_ms - rules_.delete_retention_ms;
  }

  [[nodiscard]] bool should_stop() const { return log_.is_offline() || (terms_.should_stop && terms_.should_stop()); }
  task<void> throttle(uint64_t bytes) {
    if (terms_.throttle && bytes > 0) co_await terms_.throttle(bytes);
  }

  // Reads `segment` from `position` on and hands its batches to `use`, off the shard, in turns that end when they have read enough
  // or `has_enough()`; behind each comes `after_turn(bytes)`, on the shard. False: the round is to stop.
  template <class Use, class HasEnough, class AfterTurn>
  task<log_result<bool>> for_each_batch(SegmentPtr segment, uint32_t position, Use use, HasEnough has_enough, AfterTurn after_turn) {
    MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
    SegmentReader reader(std::move(file), position, segment->size_bytes(), terms_.io_buffer_bytes);
    while (true) {
      if (should_stop()) co_return false;
      log_result<uint64_t> taken;
      co_await log_.environment().run_off_shard(
          [&] { taken = reader.take(use, [&](uint64_t bytes) { return bytes >= terms_.turn_bytes || has_enough(); }); });
      MOLDAU_CO_TRY(const uint64_t bytes, std::move(taken));
      if (bytes == 0) co_return true;
      co_await throttle(bytes);
      MOLDAU_CO_TRY(const bool goes_on, co_await after_turn(bytes));
      if (!goes_on) co_return true;
    }
  }

  task<log_result<bool>> build_map() {
    const std::vector<SegmentPtr> dirty = log_.segments_between(range_.first_dirty, range_.first_uncleanable);
    CleanedTransactions transactions;
    MOLDAU_CO_TRY(const auto aborted, co_await log_.aborted_between(range_.first_dirty, range_.first_uncleanable));
    transactions.add_aborted(aborted);
    MapBuilding building(map_, transactions, range_.first_dirty);
    bool is_full = false;
    const auto use = [&](ByteView batch) -> log_result<bool> {
      MOLDAU_TRY(const bool has_room, building.take(batch));
      is_full = !has_room;
      return has_room;
    };
    const auto after_turn = [&](uint64_t bytes) {
      outcome_.map_bytes_read += bytes;
      return runtime::ready(log_result<bool>(!is_full));
    };
    for (size_t i = 0; i < dirty.size() && !is_full; ++i) {
      MOLDAU_CO_TRY(const uint32_t position, co_await dirty[i]->position_near(range_.first_dirty));
      MOLDAU_CO_TRY(const bool goes_on, co_await for_each_batch(dirty[i], position, use, [] { return false; }, after_turn));
      if (!goes_on) co_return false;
      const Offset end = i + 1 < dirty.size() ? dirty[i + 1]->base_offset() : range_.first_uncleanable;
      if (!is_full || MOLDAU_MUTANT("full-offset-map-taken-for-whole")) map_.set_latest_offset(end - 1);
    }
    co_return true;
  }

  task<log_result<std::vector<size_t>>> group(std::vector<SegmentPtr> segments) {
    std::vector<SegmentMeasure> measures;
    for (const SegmentPtr& segment : segments) {
      MOLDAU_CO_TRY(const Segment::IndexSizes indexes, co_await segment->index_sizes());
      measures.push_back({segment->base_offset(), segment->size_bytes(), indexes.offset_bytes, indexes.time_bytes});
    }
    const LogConfig& config = log_.config();
    co_return group_segments(measures, {config.segment_bytes, config.segment_index_bytes, range_.first_uncleanable});
  }

  // False: the round is to stop, and nothing of the group has changed.
  task<log_result<bool>> clean_group(std::vector<SegmentPtr> group, CleanedTransactions& transactions) {
    MOLDAU_CO_TRY(SegmentPtr output, co_await log_.make_cleaned_segment(group.front()->base_offset()));
    auto is_written = co_await write_output(group, *output, transactions);
    if (!is_written || !*is_written) {
      co_await log_.discard_cleaned_segment(std::move(output));
      co_return is_written;
    }
    co_return co_await log_.swap_in(std::move(output), std::move(group));
  }

  task<log_result<bool>> write_output(const std::vector<SegmentPtr>& group, Segment& output,
                                      CleanedTransactions& transactions) {
    const LastRecords last_records = last_records_of(log_.producers());
    BatchFilter filter(rules_, map_, last_records, transactions);
    FilteredBatches kept;
    const auto use = [&](ByteView batch) -> log_result<bool> {
      MOLDAU_CHECK(filter.filter(batch, kept));
      return true;
    };
    for (size_t i = 0; i < group.size(); ++i) {
      Offset end;
      if (i + 1 < group.size()) {
        end = group[i + 1]->base_offset();
      } else {
        MOLDAU_CO_TRY(end, co_await group[i]->read_next_offset());
      }
      MOLDAU_CO_TRY(const auto aborted, co_await log_.aborted_between(group[i]->base_offset(), end));
      transactions.add_aborted(aborted);
      MOLDAU_CO_TRY(const int64_t modified_ms, co_await group[i]->modified_ms());
      rules_.keeps_legacy_tombstones = modified_ms > legacy_horizon_ms_;
      const auto has_enough = [&] { return kept.bytes.size() >= kept_bytes_enough; };
      const auto after_turn = [&](uint64_t) { return write_kept(output, kept, transactions); };
      MOLDAU_CO_TRY(const bool goes_on, co_await for_each_batch(group[i], 0, use, has_enough, after_turn));
      if (!goes_on) co_return false;
    }
    outcome_.counts += filter.counts();
    co_return true;
  }

  task<log_result<bool>> write_kept(Segment& output, FilteredBatches& kept, CleanedTransactions& transactions) {
    if (!kept.headers.empty()) {
      const Offset last = kept.headers.back().last_offset();
      if (!output.can_hold(last))
        co_return fail(Error(protocol::ErrorCode::corrupt_message,
                             fmt::format("offset {} is too far from the base {} of its segment", last, output.base_offset())));
      const ByteView parts[] = {kept.bytes};
      MOLDAU_CO_CHECK(co_await output.append(parts, kept.headers, log_.config()));
      co_await throttle(kept.bytes.size());
      kept.clear();
    }
    for (const AbortedTransaction& aborted : transactions.take_kept_aborted()) co_await output.append_aborted(aborted);
    co_return true;
  }

  Log& log_;
  CleaningRange range_;
  const CleaningTerms& terms_;
  OffsetMap map_;
  CleaningRules rules_;
  int64_t legacy_horizon_ms_ = 0;
  CleaningOutcome outcome_;
};

}  // namespace

task<log_result<CleaningOutcome>> clean_log(Log& log, CleaningRange range, const CleaningTerms& terms) {
  MOLDAU_ASSERT(range.first_dirty <= range.first_uncleanable);
  MOLDAU_ASSERT_MSG(terms.map.keys_max() >= 1, "an offset map without room for a key");
  if (range.first_dirty == range.first_uncleanable) co_return CleaningOutcome{.is_finished = true, .next_dirty = range.first_dirty};
  MOLDAU_CO_CHECK(co_await commit_records(log));
  Round round(log, range, terms);
  co_return co_await round.run();
}

}  // namespace moldau::storage
