#include "storage/compaction/history_for_test.h"

#include <algorithm>

#include "protocol/control_record.h"

namespace moldau::storage::test {

using runtime::task;

namespace {

constexpr int keys = 12;
constexpr int64_t first_idempotent = 100;
constexpr int64_t first_transactional = 200;

// The aborted transactions at work on what is read, as Kafka's consumer tracks them.
class AbortedAtRead {
 public:
  explicit AbortedAtRead(std::vector<AbortedRange> ranges) : ranges_(std::move(ranges)) {
    std::ranges::sort(ranges_, {}, &AbortedRange::first_offset);
  }
  bool hides(const protocol::RecordBatchHeader& batch, ByteView bytes) {
    for (; next_ < ranges_.size() && ranges_[next_].first_offset <= batch.last_offset(); ++next_)
      producers_.insert(ranges_[next_].producer_id);
    if (batch.is_control()) {
      const auto type = control_type_of(bytes);
      if (type && *type == protocol::ControlRecordType::abort) producers_.erase(batch.producer_id);
      return true;
    }
    return batch.is_transactional() && producers_.contains(batch.producer_id);
  }

 private:
  std::vector<AbortedRange> ranges_;
  size_t next_ = 0;
  std::set<ProducerId> producers_;
};

}  // namespace

// --- writing ---

ProducerId History::writer() {
  switch (pick(3)) {
    case 0: return no_producer_id;
    case 1: return ProducerId(first_idempotent + pick(3));
    default: return ProducerId(first_transactional + pick(3));
  }
}

task<> History::append_something(Log& log, int64_t now_ms) {
  const ProducerId id = writer();
  if (id == no_producer_id) {
    co_await append(log, id, now_ms);
    co_return;
  }
  WriterState& state = writers_[id];
  state.is_transactional = id.value() >= first_transactional;
  if (state.is_in_transaction && pick(3) == 0) {
    co_await end_transaction(log, id, pick(2) == 0, now_ms);
    co_return;
  }
  if (!state.is_in_transaction && pick(12) == 0) {
    ++state.epoch;
    state.next_sequence = 0;
  }
  co_await append(log, id, now_ms);
}

task<> History::append(Log& log, ProducerId id, int64_t now_ms) {
  protocol::BatchOptions options;
  options.codec = static_cast<protocol::Codec>(pick(3) == 0 ? pick(5) : 0);
  WriterState* state = id == no_producer_id ? nullptr : &writers_[id];
  if (state != nullptr) {
    options.producer_id = id;
    options.producer_epoch = state->epoch;
    options.base_sequence = state->next_sequence;
    options.is_transactional = state->is_transactional;
  }
  protocol::BatchBuilder builder(options);
  const int64_t count = 1 + pick(4);
  const Offset first = log.log_end_offset();
  for (int64_t i = 0; i < count; ++i) {
    WrittenRecord record;
    record.key = fmt::format("key-{}", pick(keys));
    if (pick(5) != 0) record.value = fmt::format("value-{}-{}", ++values_, std::string(static_cast<size_t>(pick(30)), 'x'));
    record.timestamp_ms = now_ms - pick(100);
    if (state != nullptr && state->is_transactional) {
      record.transaction_of = id;
      record.fate = WrittenRecord::Fate::open;
    }
    builder.append(record.timestamp_ms, as_bytes(record.key), record.value ? std::optional(as_bytes(*record.value)) : std::nullopt);
    written_[first + i] = std::move(record);
  }
  Bytes batch = builder.finish();
  LeaderAppend wanted;
  wanted.records = batch;
  wanted.leader_epoch = LeaderEpoch(0);
  const auto appended = co_await log.append_as_leader(wanted);
  EXPECT_TRUE(appended) << appended.error().message;
  if (!appended) co_return;
  EXPECT_EQ(appended->first_offset, first);
  log.update_high_watermark(log.log_end_offset());
  if (state == nullptr) co_return;
  state->last_sequence = state->next_sequence + static_cast<int32_t>(count) - 1;
  state->next_sequence = state->last_sequence + 1;
  state->is_in_transaction = state->is_transactional;
}

task<> History::end_transaction(Log& log, ProducerId id, bool is_commit, int64_t now_ms) {
  WriterState& state = writers_[id];
  protocol::BatchBuilder builder({.producer_id = id, .producer_epoch = state.epoch, .is_transactional = true, .is_control = true});
  builder.append(now_ms, from_hex(is_commit ? "00000001" : "00000000"), from_hex("000000000001"));
  Bytes batch = builder.finish();
  LeaderAppend wanted;
  wanted.records = batch;
  wanted.leader_epoch = LeaderEpoch(0);
  wanted.origin = AppendOrigin::coordinator;
  wanted.transaction_version = 1;
  const auto appended = co_await log.append_as_leader(wanted);
  EXPECT_TRUE(appended) << appended.error().message;
  if (!appended) co_return;
  log.update_high_watermark(log.log_end_offset());
  state.is_in_transaction = false;
  for (auto& [offset, record] : written_)
    if (record.transaction_of == id && record.fate == WrittenRecord::Fate::open)
      record.fate = is_commit ? WrittenRecord::Fate::committed : WrittenRecord::Fate::aborted;
}

void History::forget_from(Offset end) { written_.erase(written_.lower_bound(end), written_.end()); }

// --- what has to be true ---

History::State History::committed_state(Offset end) const {
  State state;
  for (const auto& [offset, record] : written_) {
    if (offset >= end) break;
    if (record.fate != WrittenRecord::Fate::committed) continue;
    if (record.value)
      state[record.key] = *record.value;
    else
      state.erase(record.key);
  }
  return state;
}

task<ConsumedRecords> History::consume(Log& log, ReadIsolation isolation) {
  ConsumedRecords records;
  Offset at = log.log_start_offset();
  while (true) {
    const auto read = co_await log.read(at, 700, true, isolation);
    EXPECT_TRUE(read) << read.error().message;
    if (!read || read->size_bytes == 0) co_return records;
    Bytes bytes(read->size_bytes);
    const auto got = co_await read->file->read_at(read->position, bytes);
    EXPECT_TRUE(got && *got == bytes.size());
    AbortedAtRead aborted(read->aborted);
    protocol::BatchCursor cursor(bytes);
    Offset next = at;
    while (true) {
      const auto batch = cursor.next();
      EXPECT_TRUE(batch) << batch.error().what;
      if (!batch || !*batch) break;
      EXPECT_TRUE(protocol::is_batch_crc_right((*batch)->bytes));
      protocol::RecordIterator iterator((*batch)->bytes);
      EXPECT_GE(iterator.header().last_offset(), next);
      next = iterator.header().next_offset();
      // With isolation log_end nothing was aborted as far as `aborted` knows.
      if (aborted.hides(iterator.header(), (*batch)->bytes)) continue;
      while (true) {
        const auto record = iterator.next();
        EXPECT_TRUE(record) << record.error().what;
        if (!record || *record == nullptr) break;
        if ((*record)->offset < at) continue;
        records[(*record)->offset] = {std::string(as_text(*(*record)->key)),
                                      (*record)->value ? std::optional(std::string(as_text(*(*record)->value))) : std::nullopt};
      }
    }
    EXPECT_GT(next, at);
    if (next <= at) co_return records;
    at = next;
  }
}

History::State History::state_of(const ConsumedRecords& records) {
  State state;
  for (const auto& [offset, record] : records) {
    if (record.second)
      state[record.first] = *record.second;
    else
      state.erase(record.first);
  }
  return state;
}

task<> History::check_readers(Log& log) const {
  for (const auto& [offset, record] : co_await consume(log, ReadIsolation::log_end)) {
    const auto wrote = written_.find(offset);
    EXPECT_NE(wrote, written_.end()) << "offset " << offset.value();
    if (wrote == written_.end()) continue;
    EXPECT_EQ(wrote->second.key, record.first);
    EXPECT_EQ(wrote->second.value, record.second);
  }
  const ConsumedRecords committed = co_await consume(log, ReadIsolation::committed);
  for (const auto& [offset, record] : committed)
    EXPECT_EQ(written_.at(offset).fate, WrittenRecord::Fate::committed) << "offset " << offset.value();
  EXPECT_EQ(state_of(committed), committed_state(log.last_stable_offset()));
}

task<> History::check_is_clean(Log& log, Offset clean_end) const {
  std::map<std::string, Offset> newest;
  for (const auto& [offset, record] : written_)
    if (offset < clean_end && record.fate != WrittenRecord::Fate::aborted) newest[record.key] = offset;
  for (const auto& [offset, record] : co_await consume(log, ReadIsolation::log_end)) {
    if (offset >= clean_end) break;
    EXPECT_NE(written_.at(offset).fate, WrittenRecord::Fate::aborted) << "offset " << offset.value();
    EXPECT_EQ(offset, newest.at(record.first)) << record.first;
  }
}

void History::check_producers(const Log& log) const {
  for (const auto& [id, state] : writers_) {
    const ProducerEntry* known = log.producers().find(id);
    if (state.last_sequence < 0) continue;
    ASSERT_NE(known, nullptr) << "producer " << id.value();
    // A new epoch is known with its first batch.
    if (known->epoch != state.epoch && state.next_sequence == 0) continue;
    ASSERT_EQ(known->epoch, state.epoch) << "producer " << id.value();
    ASSERT_EQ(known->last_sequence(), state.last_sequence) << "producer " << id.value();
    ASSERT_EQ(known->transaction_first_offset != no_offset, state.is_in_transaction) << "producer " << id.value();
  }
}

task<bool> History::clean_all(Log& log) const {
  CleaningTerms terms;
  terms.io_buffer_bytes = 4096;
  const auto found = co_await measure_cleanable(log, std::nullopt, log.environment().wall_clock_ms());
  EXPECT_TRUE(found) << found.error().message;
  if (!found) co_return false;
  const auto outcome = co_await clean_log(log, found->range, terms);
  EXPECT_TRUE(outcome) << outcome.error().message;
  if (!outcome || !outcome->is_finished) co_return false;
  co_await check_is_clean(log, outcome->next_dirty);
  co_return true;
}

LogOptions compacted_log_options() {
  LogOptions options = simulated_log_options();
  options.producers.verify_transactions = false;
  options.config.is_compacted = true;
  options.config.is_deleted = false;
  options.config.segment_bytes = 600;
  options.config.index_interval_bytes = 100;
  options.config.segment_index_bytes = 1024;
  options.config.delete_retention_ms = 0;
  options.config.file_delete_delay_ms = 0;
  return options;
}

}  // namespace moldau::storage::test
