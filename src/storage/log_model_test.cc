// A log in lockstep with a plain list of batches, under random appends, rolls, reads, retention, truncation, clean stops
// and kills that tear the unflushed tail and spoil indexes. Same seed, same story.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/sanitizer.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

struct ModelBatch {
  Offset base_offset;
  std::vector<int64_t> timestamps_ms;
  Bytes bytes;  // as they lie in the log
  [[nodiscard]] Offset next_offset() const { return base_offset + static_cast<int64_t>(timestamps_ms.size()); }
};

class Lockstep {
 public:
  explicit Lockstep(uint64_t seed) : random_(seed) {
    world_.config.segment_bytes = 700;
    world_.config.index_interval_bytes = 100;
    world_.config.segment_index_bytes = 1024;
    world_.config.retention_ms = -1;
    world_.open();
  }

  void step() {
    switch (pick(20)) {
      case 0: roll(); break;
      case 1: truncate(); break;
      case 2: delete_records(); break;
      case 3: retention(); break;
      case 4: stop(); break;
      case 5: kill(); break;
      case 6: flush(); break;
      case 7:
      case 8: find_time(); break;
      case 9:
      case 10:
      case 11:
      case 12: read(); break;
      default: append(); break;
    }
    check();
  }

 private:
  int64_t pick(int64_t below) { return std::uniform_int_distribution<int64_t>(0, below - 1)(random_); }
  [[nodiscard]] Offset end() const { return batches_.empty() ? start_of_empty_ : batches_.back().next_offset(); }

  void check() {
    ASSERT_EQ(world_.log->log_end_offset(), end());
    ASSERT_EQ(world_.log->log_start_offset(), start_);
    const auto last = now(world_.log->read(end(), 1, true, ReadIsolation::log_end));
    ASSERT_TRUE(last) << last.error().message;
    ASSERT_EQ(last->size_bytes, 0U);
  }

  void append() {
    protocol::BatchOptions options;
    options.codec = static_cast<protocol::Codec>(pick(2) == 0 ? pick(5) : 0);
    protocol::BatchBuilder builder(options);
    ModelBatch batch{end(), {}, {}};
    const int64_t count = 1 + pick(6);
    for (int64_t i = 0; i < count; ++i) {
      batch.timestamps_ms.push_back(world_.environment.clock_ms + pick(1000) - 500);
      const std::string value(static_cast<size_t>(pick(60)), static_cast<char>('a' + pick(26)));
      builder.append(batch.timestamps_ms.back(), as_bytes("k"), as_bytes(value));
    }
    Bytes bytes = builder.finish();
    LeaderAppend wanted;
    wanted.records = bytes;
    wanted.leader_epoch = LeaderEpoch(epoch_);
    const auto info = now(world_.log->append_as_leader(wanted));
    ASSERT_TRUE(info) << info.error().message;
    ASSERT_EQ(info->first_offset, batch.base_offset);
    batch.bytes = std::move(bytes);
    batches_.push_back(std::move(batch));
    world_.log->update_high_watermark(end());
    world_.environment.advance_ms(pick(50));
  }

  void roll() {
    if (world_.log->segments().back().size_bytes == 0) return;
    ASSERT_TRUE(now(world_.log->roll()));
    if (flushed_ < end()) flushed_ = end();  // a roll flushes what came before
  }

  void truncate() {
    if (batches_.empty()) return;
    const size_t kept = batches_.size() - static_cast<size_t>(pick(std::min<int64_t>(3, std::ssize(batches_))));
    const Offset to = kept < batches_.size() ? batches_[kept].base_offset : end();
    if (to < start_) return;
    const auto cut = now(world_.log->truncate_to(to));
    ASSERT_TRUE(cut) << cut.error().message;
    ASSERT_EQ(*cut, to < end());
    if (to == end()) return;
    start_of_empty_ = to;
    batches_.resize(kept);
    flushed_ = std::min(flushed_, to);
    ++epoch_;
  }

  // Above the log start everything must be flushed before it moves, or a kill may leave a log that ends below its start.
  void flush() {
    ASSERT_TRUE(now(world_.log->flush()));
    flushed_ = end();
  }

  void delete_records() {
    flush();
    const Offset to = start_ + pick(std::max<int64_t>(1, (end() - start_) / 3 + 1));
    const auto moved = now(world_.log->delete_records_before(to));
    ASSERT_TRUE(moved) << moved.error().message;
    ASSERT_EQ(*moved, to > start_);
    start_ = std::max(start_, to);
  }

  // Whole segments go; the model learns from the log how many, and checks that no more went than may.
  void retention() {
    flush();
    world_.config.retention_bytes = 1000 + pick(3000);
    world_.log->update_config(world_.config);
    const uint64_t before = world_.log->size_bytes();
    const auto deleted = now(world_.log->delete_old_segments());
    ASSERT_TRUE(deleted) << deleted.error().message;
    if (world_.log->size_bytes() < before && *deleted > 0 && world_.log->log_start_offset() > start_)
      ASSERT_GE(static_cast<int64_t>(before), world_.config.retention_bytes);
    start_ = std::max(start_, world_.log->segments().front().base_offset);
    ASSERT_TRUE(now(world_.log->remove_deleted_files(INT64_MAX)));
  }

  void read() {
    if (end() == start_) return;
    const Offset from = start_ + pick(end() - start_);
    const auto max_bytes = static_cast<uint32_t>(1 + pick(2000));
    const auto info = now(world_.log->read(from, max_bytes, true, ReadIsolation::log_end));
    ASSERT_TRUE(info) << info.error().message;
    const Bytes got = bytes_of(*info);
    auto at = std::ranges::find_if(batches_, [from](const ModelBatch& batch) { return batch.next_offset() > from; });
    ASSERT_NE(at, batches_.end());
    ASSERT_EQ(info->first_batch_offset, at->base_offset);
    ASSERT_GE(got.size(), std::min<size_t>(max_bytes, at->bytes.size()));
    size_t position = 0;
    for (; position < got.size() && at != batches_.end(); ++at) {
      const size_t size = std::min(at->bytes.size(), got.size() - position);
      ASSERT_TRUE(equal(ByteView(got).subspan(position, size), ByteView(at->bytes).first(size)));
      position += size;
    }
    ASSERT_EQ(position, got.size());
  }

  void find_time() {
    const int64_t wanted_ms = pick(10) == 0 ? max_timestamp : world_.environment.clock_ms - pick(2000) + 300;
    std::optional<std::pair<Offset, int64_t>> expected;
    std::optional<std::pair<Offset, int64_t>> newest;
    for (const ModelBatch& batch : batches_) {
      for (size_t i = 0; i < batch.timestamps_ms.size(); ++i) {
        const Offset offset = batch.base_offset + static_cast<int64_t>(i);
        const int64_t time_ms = batch.timestamps_ms[i];
        if (offset < start_) continue;
        if (!expected && time_ms >= wanted_ms) expected = {offset, time_ms};
        if (!newest || time_ms > newest->second) newest = {offset, time_ms};
      }
    }
    const auto found = now(world_.log->offset_for_timestamp(wanted_ms));
    ASSERT_TRUE(found) << found.error().message;
    if (wanted_ms == max_timestamp) {
      // Records below the log start may still lie in its segment, and count for Kafka.
      if (newest) {
        ASSERT_TRUE(*found);
        ASSERT_GE((*found)->timestamp_ms, newest->second);
      }
      return;
    }
    ASSERT_EQ(found->has_value(), expected.has_value());
    if (!expected) return;
    ASSERT_EQ((*found)->offset, expected->first);
    ASSERT_EQ((*found)->timestamp_ms, expected->second);
  }

  void stop() {
    ASSERT_TRUE(now(world_.log->flush()));
    ASSERT_TRUE(now(world_.log->close()));
    world_.log.reset();
    flushed_ = end();
    world_.reopen(true, flushed_, start_, end());
    ASSERT_EQ(world_.report.segments_recovered, 0U);
    ASSERT_TRUE(world_.report.damage.empty());
  }

  // The process dies and the disk loses some of what was not flushed.
  void kill() {
    const Offset base = world_.log->segments().back().base_offset;
    world_.crash();
    Bytes& log = world_.environment.disk.bytes_of("/data/t-0/" + file_name(base, FileKind::log));
    size_t flushed_bytes = 0;
    for (const ModelBatch& batch : batches_)
      if (batch.base_offset >= base && batch.next_offset() <= flushed_) flushed_bytes += batch.bytes.size();
    log.resize(flushed_bytes + static_cast<size_t>(pick(std::ssize(log) - static_cast<int64_t>(flushed_bytes) + 1)));
    size_t left = log.size();
    auto kept = std::ranges::find_if(batches_, [base](const ModelBatch& batch) { return batch.base_offset >= base; });
    start_of_empty_ = kept == batches_.end() ? end() : kept->base_offset;
    for (; kept != batches_.end() && kept->bytes.size() <= left; ++kept) left -= kept->bytes.size();
    if (kept != batches_.end()) {
      start_of_empty_ = kept->base_offset;
      batches_.erase(kept, batches_.end());
    }
    // Zeros, as a power cut leaves them; not behind half a batch, for they might make it whole.
    if (pick(3) == 0) log.resize(log.size() + static_cast<size_t>(pick(200)), left == 0 ? std::byte{0} : std::byte{0x5a});
    for (const FileKind kind : {FileKind::offset_index, FileKind::time_index}) {
      const std::string index = "/data/t-0/" + file_name(base, kind);
      if (!world_.environment.disk.files.contains(index)) continue;
      if (pick(4) == 0)
        world_.environment.disk.files.erase(index);
      else if (pick(3) == 0)
        world_.environment.disk.bytes_of(index).assign(static_cast<size_t>(pick(100)), std::byte{0x5a});
    }
    world_.reopen(false, flushed_, start_, Offset(0));
    ASSERT_TRUE(world_.report.damage.empty()) << world_.report.damage.front();
    world_.log->update_high_watermark(end());
  }

  std::mt19937_64 random_;
  LogWorld world_;
  std::vector<ModelBatch> batches_;
  Offset start_{0};
  Offset start_of_empty_{0};
  Offset flushed_{0};
  int32_t epoch_ = 0;
};

TEST(LogModel, BehavesLikeAListOfBatches) {
  const LogLevel level = log_level();
  set_log_level(LogLevel::off);
  for (uint64_t seed = 1; seed <= rounds_for_test(60); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Lockstep story(seed);
    for (int i = 0; i < 400 && !testing::Test::HasFatalFailure(); ++i) {
      SCOPED_TRACE(fmt::format("step {}", i));
      story.step();
    }
    if (testing::Test::HasFatalFailure()) break;
  }
  set_log_level(level);
}

}  // namespace
}  // namespace moldau::storage::test
