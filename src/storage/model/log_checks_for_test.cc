// What must be true of the log after each step.
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/model/log_story_for_test.h"

namespace moldau::storage::test {

namespace {

// The aborted transactions at work on what is read, as Kafka's consumer tracks them.
class AbortedAtRead {
 public:
  explicit AbortedAtRead(std::vector<AbortedRange> ranges) : ranges_(std::move(ranges)) {
    std::ranges::sort(ranges_, {}, &AbortedRange::first_offset);
  }
  bool hides(const NaiveBatch& batch) {
    for (; next_ < ranges_.size() && ranges_[next_].first_offset <= batch.last_offset; ++next_) producers_.insert(ranges_[next_].producer_id);
    if (batch.is_control && !batch.is_commit() && !batch.records.empty()) producers_.erase(batch.producer_id);
    return batch.is_control || (batch.is_transactional && producers_.contains(batch.producer_id));
  }

 private:
  std::vector<AbortedRange> ranges_;
  size_t next_ = 0;
  std::set<ProducerId> producers_;
};

}  // namespace

bool LogStory::is_known_as(const NaiveProducer& producer, const ProducerEntry* entry) const {
  if (entry == nullptr || entry->epoch != producer.epoch || entry->last_sequence() != producer.last_sequence) return false;
  const Offset first = entry->transaction_first_offset;
  // Below the log start, where nobody reads, the log may remember an earlier one of the transaction's batches than is there.
  return first == producer.open_from || (first != no_offset && first < producer.open_from && producer.open_from < naive_.start);
}

// What lies in the segments' files, also below the log start, where no reader comes and compaction does.
task<std::vector<NaiveBatch>> LogStory::everything() {
  std::vector<NaiveBatch> all;
  for (const SegmentInfo& segment : log_->segments()) {
    const auto bytes = co_await runtime::read_file(environment_->files(), log_->directory() + "/" + file_name(segment.base_offset, FileKind::log));
    EXPECT_TRUE(bytes);
    if (!bytes) continue;
    EXPECT_EQ(bytes->size(), segment.size_bytes);
    for (NaiveBatch& batch : decode_batches(*bytes)) all.push_back(std::move(batch));
  }
  co_return all;
}

task<std::vector<NaiveBatch>> LogStory::consume(ReadIsolation isolation) {
  std::vector<NaiveBatch> consumed;
  Offset at = log_->log_start_offset();
  while (true) {
    const auto read = co_await log_->read(at, 700, true, isolation);
    EXPECT_TRUE(read) << read.error().message;
    if (!read || read->size_bytes == 0) co_return consumed;
    Bytes bytes(read->size_bytes);
    const auto got = co_await read->file->read_at(read->position, bytes);
    EXPECT_TRUE(got && *got == bytes.size());
    AbortedAtRead aborted(read->aborted);
    const Offset before = at;
    for (NaiveBatch& batch : decode_batches(bytes)) {
      EXPECT_GE(batch.last_offset, at);
      at = batch.next_offset();
      if (isolation != ReadIsolation::committed || !aborted.hides(batch)) consumed.push_back(std::move(batch));
    }
    EXPECT_GT(at, before);
    if (at <= before) co_return consumed;
  }
}

task<void> LogStory::check() {
  check_offsets();
  check_producers();
  co_await check_read();
  co_await check_time();
  if (pick(10) == 0) co_await check_all();
}

void LogStory::check_offsets() {
  EXPECT_EQ(log_->log_start_offset(), naive_.start);
  EXPECT_EQ(log_->log_end_offset(), naive_.end);
  EXPECT_EQ(log_->high_watermark(), naive_.high_watermark);
  EXPECT_EQ(log_->last_stable_offset(), naive_.last_stable_offset());
  EXPECT_LE(log_->recovery_point(), log_->durable_end_offset());
  EXPECT_LE(log_->durable_end_offset(), naive_.end);
  durable_ = std::max(durable_, log_->durable_end_offset());
  // Where the log start once was, the epochs below it are forgotten for good.
  epochs_known_from_ = std::max(epochs_known_from_, naive_.start);
  if (naive_.batches.empty()) return;
  const NaiveBatch& batch = naive_.batches[static_cast<size_t>(pick(std::ssize(naive_.batches)))];
  if (batch.base_offset >= epochs_known_from_)
    EXPECT_EQ(log_->leader_epochs().epoch_of(batch.base_offset), batch.leader_epoch) << test::describe(batch);
}

// Everything that the log must know to take a producer's next batch.
void LogStory::check_producers() {
  const auto producers = naive_.producers();
  for (const auto& [id, entry] : log_->producers().producers()) EXPECT_TRUE(producers.contains(id) || retired_.contains(id)) << "producer " << id.value() << " is known, and should be forgotten";
  for (const auto& [id, producer] : producers) {
    const ProducerEntry* entry = log_->producers().find(id);
    if (retired_.contains(id) || is_known_as(producer, entry)) continue;
    ADD_FAILURE() << fmt::format("producer {} is known as {}, and is at epoch {}, sequence {}, open from {}", id,
                                 entry == nullptr ? "none" : fmt::format("at epoch {}, sequence {}, open from {}", entry->epoch, entry->last_sequence(), entry->transaction_first_offset),
                                 producer.epoch, producer.last_sequence, producer.open_from);
  }
}

task<void> LogStory::check_read() {
  const auto isolation = std::array{ReadIsolation::log_end, ReadIsolation::high_watermark, ReadIsolation::committed}[static_cast<size_t>(pick(3))];
  const Offset from = naive_.start + pick(naive_.end - naive_.start + 1);
  const auto max_bytes = static_cast<uint32_t>(1 + pick(1'500));
  const auto read = co_await log_->read(from, max_bytes, true, isolation);
  EXPECT_TRUE(read) << read.error().message;
  if (!read) co_return;
  // Markers and aborted batches are among the bytes, whatever the isolation.
  std::vector<NaiveBatch> expected;
  for (const NaiveBatch& batch : naive_.batches)
    if (batch.last_offset >= from && batch.base_offset < naive_.limit(isolation)) expected.push_back(batch);
  if (expected.empty() || from >= naive_.limit(isolation)) {
    EXPECT_EQ(read->size_bytes, 0U) << "from " << from.value();
    co_return;
  }
  EXPECT_EQ(read->first_batch_offset, expected.front().base_offset) << "from " << from.value();
  if (!read->file) co_return;
  Bytes bytes(read->size_bytes);
  const auto got = co_await read->file->read_at(read->position, bytes);
  EXPECT_TRUE(got && *got == bytes.size());
  const std::vector<NaiveBatch> given = decode_batches(bytes);
  EXPECT_FALSE(given.empty());
  EXPECT_LE(given.size(), expected.size());
  for (size_t i = 0; i < std::min(given.size(), expected.size()); ++i) EXPECT_EQ(given[i], expected[i]);
}

task<void> LogStory::check_time() {
  const int64_t wanted_ms = now_ms() - pick(pick(2) == 0 ? 2'000 : 60'000) + 300;
  const auto found = co_await log_->offset_for_timestamp(wanted_ms);
  EXPECT_TRUE(found) << found.error().message;
  if (!found) co_return;
  const auto expected = naive_.first_of_time(wanted_ms);
  EXPECT_EQ(found->has_value(), expected.has_value()) << "the first record of " << wanted_ms;
  if (!*found || !expected) co_return;
  EXPECT_EQ((*found)->offset, expected->offset) << "the first record of " << wanted_ms;
  EXPECT_EQ((*found)->timestamp_ms, expected->timestamp_ms);
  EXPECT_EQ((*found)->leader_epoch, expected->leader_epoch);
}

task<void> LogStory::check_all() {
  for (const auto isolation : {ReadIsolation::log_end, ReadIsolation::committed}) {
    const std::vector<NaiveBatch> consumed = co_await consume(isolation);
    const std::vector<NaiveBatch> expected = naive_.readable(naive_.start, isolation);
    const auto [one, other] = std::ranges::mismatch(consumed, expected);
    if (one != consumed.end()) EXPECT_EQ(*one, other == expected.end() ? NaiveBatch{} : *other);
    else if (other != expected.end()) ADD_FAILURE() << "missing: " << test::describe(*other);
  }
}

}  // namespace moldau::storage::test
