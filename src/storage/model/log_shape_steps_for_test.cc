// The steps that take away, clean and move.
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/compaction/cleanable_log.h"
#include "storage/future_log.h"
#include "storage/log.h"
#include "storage/model/log_story_for_test.h"
#include "storage/partition_directory.h"

namespace moldau::storage::test {

static constexpr int64_t step_max_ms = 500;  // what a step takes at most, by the clock of its world

void LogStory::keep_away_from(const std::vector<int64_t>& instants_ms) {
  const auto is_near = [this](int64_t instant) { return instant >= now_ms() && instant <= now_ms() + step_max_ms; };
  while (std::ranges::any_of(instants_ms, is_near)) node_.clock_offset_ms += step_max_ms;
}

task<void> LogStory::roll() {
  if (log_->segments().back().size_bytes == 0) co_return;
  note(fmt::format("roll at {}", naive_.end));
  const auto rolled = co_await log_->roll();
  EXPECT_TRUE(rolled) << rolled.error().message;
  naive_.high_watermark = log_->high_watermark();  // it follows the end, if it was there
}

// Back to the end of a batch, or into one, which goes as a whole; a new leader's epoch follows.
task<void> LogStory::truncate() {
  Offset to = naive_.end;
  for (int64_t count = pick(4); count > 0 && to > naive_.start; --count)
    for (auto batch = naive_.batches.rbegin(); batch != naive_.batches.rend(); ++batch)
      if (batch->base_offset < to) {
        to = batch->base_offset;
        break;
      }
  if (to < naive_.end && pick(4) == 0) to = to + 1;
  if (to < std::max(naive_.start, never_cut_below_)) co_return;
  note(fmt::format("truncate to {} of {}", to, naive_.end));
  under_way_.cut_to = to;
  const auto cut = co_await log_->truncate_to(to);
  EXPECT_TRUE(cut) << cut.error().message;
  if (!cut) co_return;
  EXPECT_EQ(*cut, to < naive_.end);
  if (to == naive_.end) co_return;
  naive_.truncate_to(to);
  durable_ = std::min(durable_, to);
  clean_to_ = std::min(clean_to_, to);
  five_known_from_ = to;
  // A snapshot does not say which transactions have ended above the high watermark.
  naive_.high_watermark = log_->update_high_watermark(to);
  forget_producers();
  for (Checkpoint& checkpoint : checkpoints_) checkpoint.recovery_point = std::min(checkpoint.recovery_point, log_->recovery_point());
  ++leader_epoch_;
  if (copy_) EXPECT_TRUE(co_await align_future(*log_, *copy_));
}

task<void> LogStory::delete_records() {
  const Offset to = naive_.start + pick(naive_.high_watermark - naive_.start + 2);
  note(fmt::format("delete records before {}", to));
  under_way_.start_to = to;
  const auto moved = co_await log_->delete_records_before(to);
  if (to > naive_.high_watermark) {
    EXPECT_FALSE(moved);
    co_return;
  }
  EXPECT_TRUE(moved) << moved.error().message;
  if (moved) EXPECT_EQ(*moved, to > naive_.start);
  naive_.start = std::max(naive_.start, to);
}

// Segments go from the front: below the log start, then by size, then by age, and none that reaches the high watermark.
task<void> LogStory::retention() {
  struct Naive {
    Offset base;
    Offset next_base;
    uint64_t size_bytes;
    std::optional<int64_t> newest_ms;
  };
  std::vector<Naive> segments;
  const std::vector<SegmentInfo> real = log_->segments();
  for (size_t i = 0; i < real.size(); ++i) {
    Naive& segment = segments.emplace_back(real[i].base_offset, i + 1 < real.size() ? real[i + 1].base_offset : naive_.end, real[i].size_bytes);
    for (const NaiveBatch& batch : naive_.batches)
      if (batch.base_offset >= real[i].base_offset && batch.base_offset < segment.next_base)
        segment.newest_ms = std::max(segment.newest_ms.value_or(-1), batch.max_timestamp_ms);
  }
  std::vector<int64_t> instants;
  for (const Naive& segment : segments) instants.push_back(segment.newest_ms.value_or(0) + config_.retention_ms);
  keep_away_from(instants);
  const auto may_go = [&](size_t i) { return naive_.high_watermark >= segments[i].next_base && (i + 1 < segments.size() || segments[i].next_base > segments[i].base); };
  size_t least = 0;
  while (least + 1 < segments.size() && may_go(least) && segments[least].next_base <= naive_.start) ++least;
  size_t most = least;
  if (config_.is_deleted) {
    int64_t excess = -config_.retention_bytes;
    for (size_t i = least; i < segments.size(); ++i) excess += static_cast<int64_t>(segments[i].size_bytes);
    for (; config_.retention_bytes >= 0 && least < segments.size() && may_go(least) && excess >= static_cast<int64_t>(segments[least].size_bytes); ++least)
      excess -= static_cast<int64_t>(segments[least].size_bytes);
    // Without a record the age of its file counts, which is not looked at here.
    most = least;
    const auto is_old = [&](size_t i, bool if_empty) { return segments[i].newest_ms ? now_ms() - *segments[i].newest_ms > config_.retention_ms : if_empty; };
    if (config_.retention_ms >= 0) {
      while (least < segments.size() && may_go(least) && is_old(least, false)) ++least;
      while (most < segments.size() && may_go(most) && is_old(most, true)) ++most;
    }
  }
  note(fmt::format("retention: {} to {} of {} segments", least, most, segments.size()));
  under_way_.start_to = most == 0 ? naive_.start : segments[most - 1].next_base;
  const auto deleted = co_await log_->delete_old_segments();
  EXPECT_TRUE(deleted) << deleted.error().message;
  if (!deleted) co_return;
  EXPECT_GE(static_cast<size_t>(*deleted), least);
  EXPECT_LE(static_cast<size_t>(*deleted), most);
  const Offset base = log_->segments().front().base_offset;
  for (const NaiveBatch& batch : naive_.batches)
    if (batch.last_offset < base) removed_.push_back(batch);
  naive_.remove_below(base);
  EXPECT_TRUE(co_await log_->remove_deleted_files(now_ms()));
}

bool is_as_cleaned(const NaiveBatch& found, const NaiveBatch& expected) {
  NaiveBatch same = expected;
  if (expected.delete_horizon_ms && found.delete_horizon_ms && *found.delete_horizon_ms >= *expected.delete_horizon_ms &&
      *found.delete_horizon_ms <= *expected.delete_horizon_ms + step_max_ms)
    same.delete_horizon_ms = found.delete_horizon_ms;
  return found == same;
}

// Compaction of a partition waits while it moves.
task<void> LogStory::clean() {
  if (!config_.is_compacted || copy_) co_return;
  // Which of a producer's batches is its last one is not known any more.
  const auto is_of_retired = [this](const NaiveBatch& batch) { return retired_.contains(batch.producer_id); };
  if (std::ranges::any_of(naive_.batches, is_of_retired)) co_return;
  const bool is_from_start = pick(6) == 0;
  const Offset from = is_from_start ? naive_.start : std::max(clean_to_, naive_.start);
  std::vector<int64_t> instants;
  for (const NaiveBatch& batch : naive_.batches) {
    instants.push_back(batch.delete_horizon_ms.value_or(0));
    instants.push_back(batch.max_timestamp_ms + config_.min_compaction_lag_ms);
  }
  keep_away_from(instants);
  NaiveRound round{.first_dirty = from, .now_ms = now_ms(), .delete_retention_ms = config_.delete_retention_ms};
  const auto cleanable = co_await measure_cleanable(*log_, from, now_ms());
  EXPECT_TRUE(cleanable) << cleanable.error().message;
  if (!cleanable) co_return;
  EXPECT_FALSE(cleanable->is_checkpoint_wrong);
  round.upper_bound = round.map_end = round.written_end = cleanable->range.first_uncleanable;
  for (const NaiveBatch& batch : naive_.batches) {
    if (batch.base_offset < from || batch.base_offset >= round.upper_bound) continue;
    EXPECT_LT(batch.last_offset, naive_.last_stable_offset());
    if (config_.min_compaction_lag_ms > 0) EXPECT_LE(batch.max_timestamp_ms, now_ms() - config_.min_compaction_lag_ms);
  }
  for (const auto& [id, entry] : log_->producers().producers()) round.known_producers.insert(id);
  note(fmt::format("clean {} to {}", from, round.upper_bound));
  if (from == round.upper_bound) co_return;
  CleaningTerms terms;
  terms.io_buffer_bytes = 4096;
  under_way_.cleaned = clean_naively(naive_, round);
  // One that is stopped after some of its segments has a map of which nobody knows how far it went, unless it holds all keys.
  const bool has_small_map = pick(3) == 0 && !(is_in_last_step_ && is_cut_in_step_);
  if (has_small_map) terms.map = {OffsetMapLimits::slot_bytes * static_cast<uint64_t>(2 + pick(8)), 0.9};
  int64_t blocks_left = !has_small_map && pick(8) == 0 ? pick(6) : INT64_MAX;
  terms.should_stop = [&blocks_left] { return blocks_left-- <= 0; };
  never_cut_below_ = std::max(never_cut_below_, naive_.high_watermark);
  const NaiveLog::State before = naive_.committed_state();
  const std::vector<SegmentInfo> segments = log_->segments();
  const auto outcome = co_await clean_log(*log_, cleanable->range, terms);
  EXPECT_TRUE(outcome) << outcome.error().message;
  if (!outcome) co_return;
  if (outcome->is_finished) {
    EXPECT_GT(outcome->next_dirty, from);
    EXPECT_LE(outcome->next_dirty, round.upper_bound);
    round.map_end = outcome->next_dirty;
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment)
      if (segment->base_offset >= round.map_end) round.written_end = segment->base_offset;
    under_way_.cleaned = clean_naively(naive_, round);
    write_checkpoint();  // as broker/cleaner.cc
    clean_to_ = std::max(clean_to_, outcome->next_dirty);
  }
  // What a round that was stopped has not come to is as it was.
  const std::vector<NaiveBatch> found = co_await everything();
  expect_found(found, false);
  naive_.batches = found;
  EXPECT_EQ(naive_.committed_state(), before) << "compaction changed what is committed";
}

task<void> LogStory::begin_move() {
  note("begin to move");
  const std::string name = partition_directory_name("t", 0, PartitionDirectoryKind::future, fmt::format("{:032x}", ++names_));
  LogOptions options = options_of(1 - home_, name);
  options.config = future_log_config(config_);
  options.recovery_point = options.log_start_offset = Offset(0);
  options.had_clean_shutdown = true;  // there is nothing to recover
  auto opened = co_await Log::open(std::move(options));
  EXPECT_TRUE(opened) << opened.error().message;
  if (!opened) co_return;
  copy_ = std::move(*opened);
  EXPECT_TRUE(co_await align_future(*log_, *copy_));
}

task<void> LogStory::copy() {
  Bytes buffer;
  const auto copied = co_await copy_to_future(*log_, *copy_, static_cast<uint32_t>(1 + pick(3'000)), buffer);
  EXPECT_TRUE(copied) << copied.error().message;
  note(fmt::format("copied to {} of {}", copy_->log_end_offset(), naive_.end));
}

task<void> LogStory::promote() {
  if (!copy_) co_return;
  note("promote");
  const std::shared_ptr<Log> before = log_;
  const auto promoted = co_await promote_future(*log_, *copy_, [this] {
    log_ = std::move(copy_);
    home_ = 1 - home_;
  });
  EXPECT_TRUE(promoted && *promoted) << (promoted ? "not all was copied" : promoted.error().message);
  if (!promoted || !*promoted) co_return;
  co_await discard(before);
  checkpoints_[static_cast<size_t>(1 - home_)] = {};
  // The copy may have begun before retention took what it holds below the log start.
  const std::vector<NaiveBatch> found = co_await everything();
  expect_found(found, false);
  naive_.take_back(found);
  std::erase_if(removed_, [this](const NaiveBatch& batch) { return batch.last_offset >= log_->segments().front().base_offset; });
  co_await note_shape("moved");
  if (pick(2) == 0) write_checkpoint();
  if (pick(2) == 0) log_->update_high_watermark(naive_.high_watermark);
}

}  // namespace moldau::storage::test
