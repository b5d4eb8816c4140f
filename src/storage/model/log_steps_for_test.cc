// The steps that write, and the choice of a step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "protocol/batch_builder.h"
#include "storage/log.h"
#include "storage/model/log_story_for_test.h"
#include "storage/run_file.h"

namespace moldau::storage::test {

static constexpr int64_t keys = 12;
static constexpr int64_t first_idempotent = 100;
static constexpr int64_t first_transactional = 200;

task<void> LogStory::step() {
  enum Kind : uint8_t { appends, repeats, ends, high_watermark, rolls, flushes, commits, truncates, deletes, retains, cleans, moves, promotes, time, checkpoints, reads };
  std::array<int64_t, 16> weights = weights_;
  weights[appends] = 8;
  weights[ends] = 2;
  weights[time] += 1;
  int64_t sum = 0;
  for (const int64_t weight : weights) sum += weight;
  int64_t at = pick(sum);
  uint8_t kind = 0;
  while (at >= weights[kind]) at -= weights[kind++];
  switch (static_cast<Kind>(kind)) {
    case appends: co_return co_await append();
    case repeats: co_return co_await repeat();
    case ends: co_return co_await end_transaction();
    case high_watermark: co_return move_high_watermark();
    case rolls: co_return co_await roll();
    case flushes: co_return co_await flush();
    case commits: co_return co_await commit();
    case truncates: co_return co_await truncate();
    case deletes: co_return co_await delete_records();
    case retains: co_return co_await retention();
    case cleans: co_return co_await clean();
    case moves: co_return co_await (copy_ ? copy() : begin_move());
    case promotes: co_return co_await promote();
    case time: co_return pass_time();
    case checkpoints: co_return write_checkpoint();
    case reads: co_return co_await check_all();
  }
}

task<void> LogStory::append() {
  protocol::BatchOptions options;
  options.codec = static_cast<protocol::Codec>(pick(3) == 0 ? pick(5) : 0);
  const int64_t kind = pick(4);
  if (kind > 1) {
    options.is_transactional = kind == 3;
    options.producer_id = ProducerId((kind == 3 ? first_transactional : first_idempotent) + pick(3));
    while (retired_.contains(options.producer_id)) options.producer_id = ProducerId(options.producer_id.value() + 3);
    const auto known = naive_.producers();
    const auto producer = known.find(options.producer_id);
    options.producer_epoch = producer == known.end() ? ProducerEpoch(0) : producer->second.epoch;
    options.base_sequence = producer == known.end() ? 0 : producer->second.last_sequence + 1;
    const bool is_open = producer != known.end() && producer->second.open_from != no_offset;
    if (!is_open && producer != known.end() && pick(12) == 0) {
      ++options.producer_epoch;
      options.base_sequence = 0;
    }
  }
  protocol::BatchBuilder builder(options);
  for (int64_t count = 1 + pick(4); count > 0; --count) {
    const std::string key = fmt::format("key-{}", pick(keys));
    const std::string value = fmt::format("{}-{}", ++values_, std::string(static_cast<size_t>(pick(30)), 'x'));
    const bool has_key = config_.is_compacted || kind == 0 || pick(3) == 0;
    builder.append(now_ms() - pick(1'000), has_key ? std::optional(as_bytes(key)) : std::nullopt,
                   pick(5) == 0 ? std::nullopt : std::optional(as_bytes(value)));
  }
  co_await write(builder.finish());
}

task<void> LogStory::end_transaction() {
  std::vector<std::pair<ProducerId, ProducerEpoch>> open;
  for (const auto& [id, producer] : naive_.producers())
    if (producer.open_from != no_offset) open.emplace_back(id, producer.epoch);
  if (open.empty()) co_return;
  auto [id, epoch] = open[static_cast<size_t>(pick(std::ssize(open)))];
  const int version = 1 + static_cast<int>(pick(2));
  if (version == 2) ++epoch;  // KIP-890
  protocol::BatchBuilder builder({.producer_id = id, .producer_epoch = epoch, .is_transactional = true, .is_control = true});
  builder.append(now_ms(), from_hex(pick(2) == 0 ? "00000001" : "00000000"), from_hex("000000000001"));
  co_await write(builder.finish(), AppendOrigin::coordinator, version);
}

task<void> LogStory::write(Bytes batch, AppendOrigin origin, int transaction_version) {
  if (pick(20) == 0) ++leader_epoch_;
  under_way_.batch = std::move(batch);
  LeaderAppend wanted{.records = under_way_.batch, .leader_epoch = LeaderEpoch(leader_epoch_), .origin = origin, .transaction_version = transaction_version};
  note(fmt::format("append {} bytes at {}", under_way_.batch.size(), naive_.end));
  const bool breaks = node_.disk_faults.write_error > 0;
  const bool is_full = !breaks && fills_disk_ && pick(5) == 0;
  if (is_full) node_.disk.capacity_bytes = node_.disk.used_bytes() + static_cast<uint64_t>(pick(300));
  const auto appended = co_await log_->append_as_leader(wanted);
  node_.disk.capacity_bytes = UINT64_MAX;
  if (is_full && !appended) {
    note("  no room: " + appended.error().message);
    EXPECT_EQ(appended.error().io_error_number, ENOSPC);
    EXPECT_FALSE(log_->is_offline());
    // What found room itself but none for the flush that was to follow is there, though nobody is told so.
    if (log_->log_end_offset() == naive_.end || config_.flush_messages == INT64_MAX) co_return;
  } else {
    if (!appended && breaks) co_return;  // in part or whole it may be there
    EXPECT_TRUE(appended) << appended.error().message;
    if (!appended) co_return;
    EXPECT_FALSE(appended->is_duplicate);
    EXPECT_EQ(appended->first_offset, naive_.end);
  }
  NaiveBatch written = decode_batches(under_way_.batch).front();
  note("  " + test::describe(written));
  if (appended) EXPECT_EQ(appended->last_offset, written.last_offset);
  naive_.append(std::move(written));
  if (pick(4) != 0) move_high_watermark();
}

// What a client sends again that missed the answer: known, if it is among the last five, with the offsets that it has.
task<void> LogStory::repeat() {
  const auto producers = naive_.producers();
  std::vector<const NaiveProducer*> possible;
  for (const auto& [id, producer] : producers) {
    const ProducerEntry* entry = log_->producers().find(id);
    if (!producer.recent.empty() && entry != nullptr && entry->epoch == producer.epoch && entry->has_batches()) possible.push_back(&producer);
  }
  if (possible.empty()) co_return;
  const NaiveProducer& producer = *possible[static_cast<size_t>(pick(std::ssize(possible)))];
  const auto which = static_cast<size_t>(pick(std::ssize(producer.recent)));
  const NaiveBatch& before = *producer.recent[which];
  // One that was forgotten has begun anew, and its sequences name two batches.
  const auto is_newer = [&before](const NaiveBatch* later) { return later->base_sequence > before.base_sequence; };
  if (!std::all_of(producer.recent.begin() + static_cast<ptrdiff_t>(which) + 1, producer.recent.end(), is_newer)) co_return;
  protocol::BatchBuilder builder({.producer_id = before.producer_id, .producer_epoch = before.producer_epoch, .base_sequence = before.base_sequence, .is_transactional = before.is_transactional});
  for (Offset at = before.base_offset; at <= before.last_offset; at = at + 1) builder.append(now_ms(), as_bytes("key-0"), as_bytes("again"));
  Bytes batch = builder.finish();
  note("repeat of " + test::describe(before));
  const auto appended = co_await log_->append_as_leader({.records = batch, .leader_epoch = LeaderEpoch(leader_epoch_)});
  const bool must_be_known = which + 1 == producer.recent.size() || before.base_offset >= five_known_from_;
  if (must_be_known || appended) {
    EXPECT_TRUE(appended) << appended.error().message;
    if (!appended) co_return;
    EXPECT_TRUE(appended->is_duplicate);
    EXPECT_EQ(appended->first_offset, before.base_offset);
    EXPECT_EQ(appended->last_offset, before.last_offset);
  } else {
    EXPECT_EQ(appended.error().code, protocol::ErrorCode::out_of_order_sequence_number) << appended.error().message;
  }
}

void LogStory::move_high_watermark() {
  Offset to = naive_.end;
  if (pick(4) == 0)  // to some batch's end, never back
    for (const NaiveBatch& batch : naive_.batches)
      if (batch.next_offset() >= naive_.high_watermark && pick(3) == 0) {
        to = batch.next_offset();
        break;
      }
  to = std::max(to, naive_.high_watermark);
  naive_.high_watermark = to;
  note(fmt::format("high watermark {}", to));
  EXPECT_EQ(log_->update_high_watermark(to), to);
}

task<void> LogStory::flush() {
  note(fmt::format("flush at {}", naive_.end));
  EXPECT_TRUE(co_await log_->flush());
  EXPECT_EQ(log_->durable_end_offset(), naive_.end);
}

// As group_commit.cc: acknowledged durably, though indexes and snapshots are not flushed.
task<void> LogStory::commit() {
  note(fmt::format("commit at {}", naive_.end));
  const auto commit = co_await log_->begin_commit();
  EXPECT_TRUE(commit);
  if (!commit) co_return;
  for (const runtime::FilePtr& file : commit->files) EXPECT_TRUE(co_await file->sync());
  if (commit->has_new_files) EXPECT_TRUE(co_await environment_->files().sync_directory(log_->directory()));
  log_->end_commit(*commit);
  EXPECT_EQ(log_->durable_end_offset(), naive_.end);
}

// The last that a process does: a write, a flush or a commit fails, and its directory is offline. There may be nothing to flush.
task<void> LogStory::fail() {
  const int64_t what = pick(3);
  note(what == 0 ? "a write fails" : "a flush fails");
  if (what == 0) {
    node_.disk_faults.write_error = 1;
    co_await append();
    co_return;
  }
  node_.disk_faults.fail_next_syncs = 1;
  if (what == 1) {
    (void)co_await log_->flush();
  } else if (const auto commit = co_await log_->begin_commit()) {
    for (const runtime::FilePtr& file : commit->files)
      if (const auto synced = co_await file->sync(); !synced) co_await record_failed_flush(environment_->files(), log_->health(), synced.error().message());
  }
  node_.disk_faults.fail_next_syncs = 0;
}

void LogStory::pass_time() {
  const int64_t by_ms = pick(4) == 0 ? pick(30'000) : pick(2'000);
  note(fmt::format("{} ms pass", by_ms));
  node_.clock_offset_ms += by_ms;
}

void LogStory::write_checkpoint() {
  checkpoints_[static_cast<size_t>(home_)] = {log_->recovery_point(), log_->log_start_offset()};
  note(fmt::format("checkpoint: recovery point {}, log start {}", log_->recovery_point(), log_->log_start_offset()));
}

}  // namespace moldau::storage::test
