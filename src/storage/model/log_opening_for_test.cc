// What a start finds, beside what it may find after a life that ended so.
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/file_names.h"
#include "storage/future_log.h"
#include "storage/log.h"
#include "storage/model/log_story_for_test.h"
#include "storage/partition_directory.h"

namespace moldau::storage::test {

static constexpr std::array directories = {"/a", "/b"};

// As broker/directory_logs.cc: under its own name in two directories after a stop in the middle of a swap.
task<void> LogStory::open() {
  std::array<std::shared_ptr<Log>, 2> found;
  const bool is_first = life_ == 1;
  // As LogDirectory::begin_run(): what a killed process renamed stays so, also in a power cut.
  if (last_end_ != End::stop || is_first)
    for (const char* directory : directories) EXPECT_TRUE(co_await environment_->files().sync_directory(directory));
  for (int i = 0; i < 2; ++i) {
    if (is_first ? i != home_ : !co_await environment_->files().status(std::string(directories[i]) + "/t-0")) continue;
    LoadReport report;
    auto opened = co_await Log::open(options_of(i, "t-0"), &report);
    EXPECT_TRUE(opened) << opened.error().message;
    if (!opened) co_return;
    // The checkpoint of a truncation that was not over may lie behind what is left of the log, and below its start.
    EXPECT_TRUE(report.damage.empty() || under_way_.cut_to) << report.damage.front();
    if (last_end_ == End::stop) EXPECT_EQ(report.segments_recovered, 0U);
    found[i] = std::move(*opened);
  }
  EXPECT_TRUE(found[0] || found[1]) << "no directory holds the log";
  if (!found[0] && !found[1]) co_return;
  home_ = found[0] ? 0 : 1;
  if (found[0] && found[1]) {
    const ChoiceOfTwo choice = choose_of_two(*found[0], *found[1], pick(2) != 0);
    EXPECT_FALSE(choice.loses_records) << "the log and its copy have parted";
    home_ = choice.takes_other ? 1 : 0;
    co_await discard(found[1 - home_]);
  }
  log_ = found[home_];
  co_await reconcile();
  if (!testing::Test::HasFailure()) co_await open_copy();
}

// A copy that was begun goes on, or is given up. One of a compacted log begins anew, and one that may have a hole.
task<void> LogStory::open_copy() {
  copy_ = nullptr;
  for (int i = 0; i < 2; ++i) {
    const auto listed = co_await environment_->files().list(directories[i]);
    EXPECT_TRUE(listed);
    for (const runtime::DirectoryEntry& entry : *listed) {
      const auto name = parse_partition_directory(entry.name);
      if (!name || name->kind != PartitionDirectoryKind::future) continue;
      LogOptions options = options_of(i, entry.name);
      options.config = future_log_config(config_);
      options.recovery_point = options.log_start_offset = Offset(0);
      auto opened = co_await Log::open(std::move(options));
      EXPECT_TRUE(opened) << opened.error().message;
      if (!opened) co_return;
      std::shared_ptr<Log> copy = std::move(*opened);
      // Where a stop took the log start back, the copy begins where it was before.
      if (i == home_ || copy_ || copy->log_start_offset() > log_->log_start_offset() || pick(3) == 0) {
        co_await discard(copy);
        continue;
      }
      if (config_.is_compacted || last_end_ == End::power_cut) EXPECT_TRUE(co_await copy->truncate_fully_and_start_at(log_->log_start_offset()));
      EXPECT_TRUE(co_await align_future(*log_, *copy));
      copy_ = copy;
    }
  }
}

task<void> LogStory::discard(std::shared_ptr<Log> log) {
  const std::string name = partition_directory_name("t", 0, PartitionDirectoryKind::deleted, fmt::format("{:032x}", ++names_));
  EXPECT_TRUE(co_await log->rename_directory(name));
  EXPECT_TRUE(co_await log->sync_name());
  co_await log->abandon();
  const auto listed = co_await environment_->files().list(log->directory());
  EXPECT_TRUE(listed);
  for (const runtime::DirectoryEntry& entry : *listed) EXPECT_TRUE(co_await environment_->files().remove(log->directory() + "/" + entry.name));
  EXPECT_TRUE(co_await environment_->files().remove(log->directory()));
}

task<void> LogStory::note_shape(std::string what) {
  what += fmt::format(" in {} from {} to {}, segments", log_->log_dir(), log_->log_start_offset(), log_->log_end_offset());
  for (const SegmentInfo& segment : log_->segments()) what += fmt::format(" {} ({} bytes)", segment.base_offset, segment.size_bytes);
  if (const auto aborted = co_await log_->aborted_between(Offset(0), log_->log_end_offset()))
    for (const AbortedTransaction& each : *aborted)
      what += fmt::format(", aborted {} {} to {} ({})", each.producer_id, each.first_offset, each.last_offset, each.last_stable_offset);
  note(what);
}

task<void> LogStory::reconcile() {
  const Checkpoint& known = checkpoints_[home_];
  const Offset start = log_->log_start_offset();
  const Offset end = log_->log_end_offset();
  Offset promised = last_end_ == End::power_cut ? std::min(durable_, naive_.end) : naive_.end;
  if (under_way_.cut_to) promised = std::min(promised, *under_way_.cut_to);
  // A truncation into a batch takes all of it and leaves an end that no record has.
  Offset promised_records(0);
  for (const NaiveBatch& batch : naive_.batches)
    if (batch.next_offset() <= promised && batch.last_offset >= naive_.start) promised_records = batch.next_offset();
  EXPECT_GE(end, promised_records) << "what was promised is not there";
  EXPECT_GE(start, std::min(known.log_start, naive_.start));
  EXPECT_LE(start, std::max(naive_.start, under_way_.start_to.value_or(Offset(0))));
  if (last_end_ == End::stop) EXPECT_EQ(start, naive_.start);
  co_await note_shape("opened");
  const std::vector<NaiveBatch> found = co_await everything();
  if (testing::Test::HasFailure()) co_return;
  expect_found(found, true);

  // What half a truncation has left could come back with a later power cut; as if the system had written it since.
  if (last_end_ == End::kill && under_way_.cut_to) co_await sync_all();

  // From here on the list is what was found.
  if (!under_way_.batch.empty() && end > naive_.end) naive_.append(decode_batches(under_way_.batch).front());
  naive_.truncate_to(end);
  naive_.start = start;
  naive_.high_watermark = naive_.end = end;
  const Offset first = log_->segments().front().base_offset;
  std::erase_if(removed_, [first](const NaiveBatch& batch) { return batch.last_offset >= first; });
  for (const NaiveBatch& batch : naive_.batches)
    if (batch.last_offset < first) removed_.push_back(batch);
  naive_.take_back(found);
  if (last_end_ == End::stop)
    five_known_from_ = end;
  else
    five_known_from_ = config_.is_compacted ? end : start;
  durable_ = log_->durable_end_offset();
  clean_to_ = std::min(clean_to_, end);
  for (auto& checkpoint : checkpoints_) checkpoint.recovery_point = std::min(checkpoint.recovery_point, end);
  checkpoints_[1 - home_] = {};
  epochs_known_from_ = std::max(epochs_known_from_, under_way_.start_to.value_or(Offset(0)));
  under_way_ = {};
  ++leader_epoch_;
  log_->update_high_watermark(end);
  forget_producers();
  check_offsets();
  check_producers();
  if (!testing::Test::HasFailure()) co_await check_all();
}

task<void> LogStory::sync_all() {
  EXPECT_TRUE(co_await environment_->files().sync_directory(log_->directory()));
  for (const SegmentInfo& segment : log_->segments()) {
    const auto file = co_await environment_->files().open(log_->directory() + "/" + file_name(segment.base_offset, FileKind::log), runtime::OpenMode::read_write);
    EXPECT_TRUE(file);
    if (file) EXPECT_TRUE(co_await (*file)->sync());
  }
}

// Producers are read again from a snapshot on, or from what is there. A power cut may bring back a snapshot that was removed, and
// a copy has its own, so that nobody can tell how far back the log remembers; it does as far as its records go. Of a producer
// whose records have all gone it may know what a later snapshot says, which is more than a list can tell: that one writes no more.
void LogStory::forget_producers() {
  std::map<ProducerId, std::vector<Offset>> written;
  for (const NaiveBatch& batch : naive_.history)
    if (batch.producer_id != no_producer_id) written[batch.producer_id].push_back(batch.base_offset);
  for (const auto& [id, offsets] : written) {
    const auto is_known = [&] {
      const auto producers = naive_.producers();
      const auto found = producers.find(id);
      const ProducerEntry* entry = log_->producers().find(id);
      return found == producers.end() ? entry == nullptr : is_known_as(found->second, entry);
    };
    if (is_known()) continue;
    const auto is_of_it = [&](const NaiveBatch& batch) { return batch.producer_id == id && !batch.is_control; };
    const auto first_there = std::ranges::find_if(naive_.batches, is_of_it);
    const Offset first = first_there == naive_.batches.end() ? naive_.end : first_there->base_offset;
    bool knows_gone_markers = true;
    const auto remembers = [&] {
      return std::ranges::any_of(offsets, [&](Offset from) {
        if (from > first) return false;
        naive_.remember_from(id, from);
        if (!knows_gone_markers) naive_.forget_gone_markers_of(id);
        return is_known();
      });
    };
    if (remembers()) continue;
    // What a truncation took for ended may be open in the snapshot of a copy, which was not truncated.
    if (naive_.ended_below.erase(id) > 0 && remembers()) continue;
    naive_.ended_below[id] = first;
    if (remembers()) continue;
    // Compaction took a marker, for the producer had gone on behind it; that was taken back, and a snapshot is older than the marker.
    knows_gone_markers = false;
    naive_.ended_below[id] = naive_.end;
    if (remembers()) continue;
    naive_.ended_below.erase(id);
    // It took batches, for others had come behind them; these were taken back, and a snapshot is older than those.
    const auto knows_what_was_below = [&](Offset from) {
      naive_.remember_from(id, Offset(0));
      naive_.forget_gone_batches_of(id, from);
      return is_known();
    };
    if (std::ranges::any_of(offsets, knows_what_was_below)) continue;
    naive_.forget_gone_batches_of(id);
    if (first_there == naive_.batches.end() && !is_known()) retired_.insert(id);
  }
}

// Every batch that was there is found as it was, or as the step under way makes it; nothing else is found.
void LogStory::expect_found(const std::vector<NaiveBatch>& found, bool is_opening) {
  std::vector<Offset> lost;
  std::vector<NaiveBatch> expected = removed_;
  expected.insert(expected.end(), naive_.batches.begin(), naive_.batches.end());
  if (!under_way_.batch.empty()) {
    // Half a step may have written nothing of it.
    const std::vector<NaiveBatch> batch = decode_batches(under_way_.batch);
    if (log_->log_end_offset() > naive_.end) expected.push_back(batch.front());
  }
  auto at = found.begin();
  for (const NaiveBatch& batch : expected) {
    if (batch.last_offset < log_->segments().front().base_offset || batch.last_offset >= log_->log_end_offset()) continue;
    const auto cleaned = under_way_.cleaned.find(batch.base_offset);
    const bool may_have_gone = cleaned != under_way_.cleaned.end() && !cleaned->second;
    if (at == found.end() || at->base_offset != batch.base_offset) {
      // A power cut may take the end of a segment that nobody was promised, and leave the next one.
      const bool was_promised = batch.next_offset() <= durable_ && batch.last_offset >= naive_.start;
      const bool is_lost = last_end_ == End::power_cut && is_opening && !was_promised;
      EXPECT_TRUE(may_have_gone || is_lost) << "missing: " << test::describe(batch);
      if (is_lost && !may_have_gone) lost.push_back(batch.base_offset);
      continue;
    }
    const bool is_cleaned = cleaned != under_way_.cleaned.end() && cleaned->second && is_as_cleaned(*at, *cleaned->second);
    if (!is_cleaned) EXPECT_EQ(*at, batch);
    ++at;
  }
  if (at != found.end()) ADD_FAILURE() << "nobody wrote " << test::describe(*at);
  std::erase_if(naive_.history, [&lost](const NaiveBatch& batch) { return std::ranges::binary_search(lost, batch.base_offset); });
}

}  // namespace moldau::storage::test
