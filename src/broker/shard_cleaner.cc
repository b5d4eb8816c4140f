#include "broker/shard_cleaner.h"

#include <algorithm>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/directory_set.h"
#include "broker/partition.h"

namespace moldau::broker {

using runtime::task;

ShardCleaner::ShardCleaner(BrokerShard& shard, IoThrottle& throttle) : shard_(shard), throttle_(throttle) {
  const auto counter = [&shard](const char* name, const char* help) { return &shard.metrics.counter(name, help); };
  counters_ = {counter("moldau_cleaner_rounds_total", "Rounds of compaction that were finished."),
               counter("moldau_cleaner_failed_rounds_total", "Rounds of compaction that failed."),
               counter("moldau_cleaner_read_bytes_total", "Bytes of logs that compaction went through."),
               counter("moldau_cleaner_written_bytes_total", "Bytes of logs that compaction wrote again."),
               counter("moldau_cleaner_read_records_total", "Records that compaction looked at."),
               counter("moldau_cleaner_dropped_records_total", "Records that compaction dropped.")};
}

// --- checkpoints ---

void ShardCleaner::load_checkpoints() {
  for (const auto& [key, partition] : shard_.partitions) {
    const storage::Log& log = partition->log();
    for (const auto& directory : shard_.broker.directories->directories())
      if (directory->path() == log.log_dir())
        states_[key].checkpoint = directory->files->cleaner_offset(log.topic(), log.partition());
  }
}

std::vector<ShardCleaner::Checkpoint> ShardCleaner::checkpoints() const {
  std::vector<Checkpoint> all;
  for (const auto& [key, partition] : shard_.partitions) {
    const auto state = states_.find(key);
    if (state == states_.end() || !state->second.checkpoint) continue;
    const storage::Log& log = partition->log();
    all.push_back({log.log_dir(), {log.topic(), log.partition(), *state->second.checkpoint}});
  }
  return all;
}

// --- which log is filthiest ---

task<ShardCleaner::Survey> ShardCleaner::survey(int64_t now_ms) {
  Survey survey;
  std::erase_if(states_, [this](const auto& state) { return !state.second.is_running && !shard_.partitions.contains(state.first); });
  std::vector<PartitionKey> keys;
  for (const auto& [key, partition] : shard_.partitions)
    if (partition->log().config().is_compacted) keys.push_back(key);
  for (const PartitionKey& key : keys) {
    const Partition* partition = shard_.find(key.topic_id, key.partition);
    if (partition == nullptr) continue;
    const std::shared_ptr<storage::Log> log = partition->shared_log();
    if (const State& state = states_[key]; stopping_ || log->is_offline() || state.is_running || state.is_paused || now_ms < state.not_before_ms ||
                                           !state.measured.set_aside_because.empty())
      continue;
    const auto found = co_await storage::measure_cleanable(*log, states_[key].checkpoint, now_ms);
    co_await runtime::yield();
    if (shard_.find(key.topic_id, key.partition) != partition) continue;
    State& state = states_[key];
    if (!found) {
      round_failed(state, *log, found.error());
      continue;
    }
    if (found->is_checkpoint_wrong) {
      if (!log->config().is_deleted)
        log_warning("{}-{}: the cleaner's checkpoint {} lies outside the log, cleaning begins at its start {}", log->topic(),
                    log->partition(), state.checkpoint.value_or(no_offset), found->range.first_dirty);
      state.checkpoint = found->range.first_dirty;
    }
    state.measured = {log->topic(), log->partition(), found->dirty_ratio(), found->cleanable_bytes, found->delay_ms, {}};
    survey.max_dirty_ratio = std::max(survey.max_dirty_ratio, found->dirty_ratio());
    survey.max_delay_ms = std::max(survey.max_delay_ms, found->delay_ms);
    if (!found->is_due(log->config())) continue;
    if (!survey.filthiest || found->dirty_ratio() > survey.filthiest->dirty_ratio)
      survey.filthiest = Candidate{key, found->range, found->dirty_ratio()};
  }
  co_return survey;
}

std::vector<ShardCleaner::Measured> ShardCleaner::measured() const {
  std::vector<Measured> all;
  for (const auto& [key, state] : states_)
    if (!state.measured.topic.empty() && shard_.partitions.contains(key)) all.push_back(state.measured);
  return all;
}

// --- rounds ---

bool ShardCleaner::must_stop(PartitionKey key) const {
  const auto state = states_.find(key);
  return stopping_ || state == states_.end() || state->second.is_asked_to_stop;
}

task<void> ShardCleaner::wait_for_io(PartitionKey key, uint64_t bytes) {
  const int64_t until_us = throttle_.take(bytes, shard_.shard.now_us());
  while (!must_stop(key) && shard_.shard.now_us() < until_us) (void)co_await changed_.wait_until(until_us);
}

bool ShardCleaner::reserve(PartitionKey key) {
  if (stopping_ || shard_.find(key.topic_id, key.partition) == nullptr || states_[key].is_running || states_[key].is_paused) return false;
  states_[key].is_running = true;
  ++running_;
  return true;
}

task<bool> ShardCleaner::clean(Candidate candidate, storage::CleaningTerms terms) {
  const PartitionKey key = candidate.key;
  std::shared_ptr<storage::Log> log;
  if (const Partition* partition = shard_.find(key.topic_id, key.partition)) log = partition->shared_log();
  terms.should_stop = [this, key] { return must_stop(key); };
  terms.throttle = [this, key](uint64_t bytes) { return wait_for_io(key, bytes); };
  const int64_t began_us = shard_.shard.now_us();
  // A partition that went since then asked for the round to end, and waits.
  storage::log_result<storage::CleaningOutcome> outcome;
  if (log != nullptr) outcome = co_await storage::clean_log(*log, candidate.range, terms);
  State& state = states_[key];
  const bool was_asked_to_stop = state.is_asked_to_stop || stopping_;
  state.is_running = state.is_asked_to_stop = false;
  --running_;
  changed_.notify_all();
  if (!outcome) {
    if (!was_asked_to_stop) round_failed(state, *log, outcome.error());
    co_return false;
  }
  if (!outcome->is_finished) co_return true;
  state.checkpoint = outcome->next_dirty;
  count(*log, candidate.range, *outcome, began_us);
  co_return true;
}

// A disk that fails is the directory's business, a full one may have room later; anything else will not mend itself.
void ShardCleaner::round_failed(State& state, const storage::Log& log, const storage::Error& error) {
  counters_.failed_rounds->add();
  if (log.is_offline()) return;
  if (error.io_error_number != 0) {
    constexpr int64_t pause_ms = 60'000;
    state.not_before_ms = shard_.broker.wall_clock_ms() + pause_ms;
    log_warning("{}-{} is not compacted for now: {}", log.topic(), log.partition(), error.message);
    return;
  }
  state.measured.topic = log.topic();
  state.measured.partition = log.partition();
  state.measured.set_aside_because = error.message;
  log_error("{}-{} cannot be compacted and is set aside until the next start: {}", log.topic(), log.partition(), error.message);
}

void ShardCleaner::count(const storage::Log& log, const storage::CleaningRange& range,
                         const storage::CleaningOutcome& outcome, int64_t began_us) {
  const storage::CleaningCounts& counts = outcome.counts;
  counters_.rounds->add();
  counters_.bytes_read->add(counts.bytes_read + outcome.map_bytes_read);
  counters_.bytes_written->add(counts.bytes_written);
  counters_.records_read->add(counts.records_read);
  counters_.records_dropped->add(counts.records_read - counts.records_written);
  log_info("{}-{}: compacted offsets {} to {} in {} ms: {} of {} bytes and {} of {} records remain, the offset map was {:.0f} % full",
           log.topic(), log.partition(), range.first_dirty, outcome.next_dirty, (shard_.shard.now_us() - began_us) / 1000,
           counts.bytes_written, counts.bytes_read, counts.records_written, counts.records_read, 100 * outcome.map_utilization);
  if (counts.records_without_key > 0)
    log_warning("{}-{}: {} records without a key were dropped by compaction", log.topic(), log.partition(),
                counts.records_without_key);
}

task<void> ShardCleaner::pause(PartitionKey key) {
  states_[key].is_paused = true;
  while (true) {
    const auto state = states_.find(key);
    if (state == states_.end() || !state->second.is_running) co_return;
    state->second.is_asked_to_stop = true;
    changed_.notify_all();
    (void)co_await changed_.wait();
  }
}

void ShardCleaner::resume(PartitionKey key) {
  if (const auto state = states_.find(key); state != states_.end()) state->second.is_paused = false;
}

task<void> ShardCleaner::release(PartitionKey key) {
  while (true) {
    const auto state = states_.find(key);
    if (state == states_.end()) co_return;
    if (!state->second.is_running) break;
    state->second.is_asked_to_stop = true;
    changed_.notify_all();
    (void)co_await changed_.wait();
  }
  states_.erase(key);
}

task<void> ShardCleaner::stop() {
  stopping_ = true;
  changed_.notify_all();
  while (running_ > 0) (void)co_await changed_.wait();
}

}  // namespace moldau::broker
