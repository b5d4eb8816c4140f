// Damage on disk: whatever bit of an old segment turns over, readers are given what was written or an error, and the error
// for no more than the batch that was hit.
#include <gtest/gtest.h>

#include <random>

#include "base/log.h"
#include "base/sanitizer.h"
#include "protocol/record_batch.h"
#include "storage/legacy_messages_for_test.h"
#include "storage/log_for_test.h"
#include "storage/segment_examination.h"

namespace moldau::storage::test {
namespace {

struct Quiet {
  Quiet() { set_log_level(LogLevel::off); }
  ~Quiet() { set_log_level(level); }
  LogLevel level = log_level();
};

Bytes varied_batch(std::mt19937_64& random, int64_t timestamp_ms) {
  protocol::BatchBuilder builder(protocol::BatchOptions{});
  const auto count = 1 + random() % 4;
  for (uint64_t i = 0; i < count; ++i) {
    std::string value(random() % 120, 'x');
    for (char& c : value) c = static_cast<char>(random());
    builder.append(timestamp_ms, as_bytes("key"), as_bytes(value));
  }
  return builder.finish();
}

// Three segments, closed cleanly and opened again, so that nothing is known of the bytes; between the two, `harm` is done.
struct OldLog {
  LogWorld world;
  std::map<Offset, Bytes> written;  // batches by base offset
  Offset end{0};
  std::vector<Offset> bases;

  explicit OldLog(uint64_t seed, int batches_a_segment = 12) {
    std::mt19937_64 random(seed);
    world.config.index_interval_bytes = 300;
    world.open();
    for (int segment = 0; segment < 3; ++segment) {
      if (segment > 0) EXPECT_TRUE(now(world.log->roll()));
      for (int i = 0; i < batches_a_segment; ++i)
        EXPECT_TRUE(append(world, varied_batch(random, 1'750'000'000'000 + segment * 1000 + i)));
    }
    end = world.log->log_end_offset();
    for (const SegmentInfo& segment : world.log->segments()) bases.push_back(segment.base_offset);
    EXPECT_TRUE(now(world.log->flush()));
    EXPECT_TRUE(now(world.log->close()));
    world.log.reset();
    for (const Offset base : bases) {
      protocol::BatchCursor cursor(file(base, FileKind::log));
      for (auto batch = cursor.next(); batch && *batch; batch = cursor.next())
        written[(*batch)->base_offset] = Bytes((*batch)->bytes.begin(), (*batch)->bytes.end());
    }
  }

  [[nodiscard]] Bytes& file(Offset base, FileKind kind) {
    return world.environment.disk.bytes_of(file_path("/data/t-0", base, kind));
  }
  void reopen() { world.reopen(true, end, Offset(0), end); }
  [[nodiscard]] Log& log() { return *world.log; }

  // What a consumer is given that reads on behind whatever it is told to be damaged. Every batch must be one that was written.
  std::set<Offset> consume(Offset from, uint32_t max_bytes) {
    std::set<Offset> given;
    for (Offset next = from; next < end;) {
      const auto read = now(log().read(next, max_bytes, true, ReadIsolation::high_watermark));
      if (!read) {
        EXPECT_EQ(read.error().code, protocol::ErrorCode::corrupt_message) << read.error().message;
        const auto damaged = log().quarantined();
        const auto at = std::ranges::find_if(damaged, [&](const QuarantinedRange& range) {
          return range.first_offset <= next && next < range.end_offset;
        });
        EXPECT_NE(at, damaged.end()) << read.error().message;
        if (at == damaged.end()) break;
        next = at->end_offset;
        continue;
      }
      const Offset before = next;
      const Bytes bytes = bytes_of(*read);
      protocol::BatchCursor cursor(bytes);
      for (auto batch = cursor.next(); batch && *batch; batch = cursor.next()) {
        const auto original = written.find((*batch)->base_offset);
        EXPECT_NE(original, written.end()) << "offset " << (*batch)->base_offset.value();
        if (original == written.end()) return given;
        EXPECT_TRUE(equal((*batch)->bytes, original->second)) << "offset " << (*batch)->base_offset.value();
        // The first batch of a read may begin before what was asked for; behind it nothing may be left out.
        EXPECT_LE((*batch)->base_offset, next);
        given.insert(original->first);
        next = protocol::read_batch_header((*batch)->bytes).next_offset();
      }
      EXPECT_GT(next, before);
      if (next == before) break;
    }
    return given;
  }
};

bool is_in_leader_epoch(OldLog& old, Offset base, size_t byte) {
  size_t position = 0;
  for (auto at = old.written.lower_bound(base); at != old.written.end(); ++at) {
    if (byte < position + at->second.size()) return byte >= position + 12 && byte < position + 16;
    position += at->second.size();
  }
  return false;
}

TEST(Damage, IndexesAreBuiltUpToOffsetsThatFall) {
  LogWorld world;
  world.config.index_interval_bytes = 1;
  Bytes file;
  for (const int64_t offset : {0, 50, 2, 60}) add(file, batch_of(3, 1'750'000'000'000 + std::ssize(file), {.base_offset = Offset(offset)}));
  put_file(world, "00000000000000000000.log", std::move(file));
  world.reopen(true, Offset(100));
  EXPECT_EQ(world.log->segments().size(), 1U);
  const auto found = now(world.log->offset_for_timestamp(1'750'000'000'000));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->offset, Offset(0));
}

TEST(LogDamage, NoFlippedBitOfALogReachesAReaderNorHidesMoreThanItsBatch) {
  const Quiet quiet;
  for (uint64_t seed = 0; seed < rounds_for_test(700) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    OldLog old(seed % 7);
    const Offset base = old.bases[seed % 2];
    Bytes& bytes = old.file(base, FileKind::log);
    size_t byte = random() % bytes.size();
    if (seed % 3 == 0) {  // the front of a batch
      auto batch = std::next(old.written.lower_bound(base), static_cast<ptrdiff_t>(random() % 12));
      byte = 0;
      for (auto at = old.written.lower_bound(base); at != batch; ++at) byte += at->second.size();
      byte += random() % protocol::record_batch_header_bytes;
    }
    if (is_in_leader_epoch(old, base, byte)) continue;  // no checksum covers it
    const int bit = static_cast<int>(random() % 8);
    bytes[byte] ^= std::byte{1} << bit;
    SCOPED_TRACE(fmt::format("seed {}: bit {} of byte {} of the segment of {}", seed, bit, byte, base));
    old.reopen();
    const auto max_bytes = static_cast<uint32_t>(50 + random() % 3000);
    // Some begin somewhere.
    for (int i = 0; i < 3; ++i) old.consume(Offset(static_cast<int64_t>(random() % static_cast<uint64_t>(old.end.value()))), max_bytes);
    const std::set<Offset> given = old.consume(Offset(0), max_bytes);
    EXPECT_EQ(given.size() + 1, old.written.size());
    ASSERT_EQ(old.log().quarantined().size(), 1U);
    const QuarantinedRange damaged = old.log().quarantined().front();
    EXPECT_TRUE(old.written.contains(damaged.first_offset));
    EXPECT_FALSE(given.contains(damaged.first_offset));
    EXPECT_EQ(damaged.size_bytes, old.written.at(damaged.first_offset).size());
  }
}

TEST(LogDamage, NoFlippedBitOfAnIndexHidesARecord) {
  const Quiet quiet;
  for (uint64_t seed = 0; seed < rounds_for_test(400) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    OldLog old(seed % 5);
    Bytes& bytes = old.file(old.bases[1], seed % 2 == 0 ? FileKind::offset_index : FileKind::time_index);
    ASSERT_GT(bytes.size(), 24U);
    const size_t byte = random() % bytes.size();
    bytes[byte] ^= std::byte{1} << (random() % 8);
    SCOPED_TRACE(fmt::format("seed {}, byte {}", seed, byte));
    old.reopen();
    for (int i = 0; i < 4; ++i) {
      const Offset from(static_cast<int64_t>(random() % static_cast<uint64_t>(old.end.value())));
      const auto given = old.consume(from, 200);
      EXPECT_EQ(given.size(), static_cast<size_t>(std::distance(std::prev(old.written.upper_bound(from)), old.written.end())));
    }
    EXPECT_TRUE(old.log().quarantined().empty());
  }
}

TEST(LogDamage, AnExaminationBuildsAWrongIndexAgain) {
  const Quiet quiet;
  for (const char* name : {"index", "timeindex"}) {
    OldLog old(1);
    const FileKind kind = std::string_view(name) == "index" ? FileKind::offset_index : FileKind::time_index;
    const Bytes right = old.file(old.bases[1], kind);
    for (size_t byte = 0; byte < right.size(); ++byte) {
      old.file(old.bases[1], kind) = right;
      old.file(old.bases[1], kind)[byte] ^= std::byte{0x10};
      old.reopen();
      const SegmentPtr segment = old.log().segments_between(old.bases[1], old.bases[1] + 1).front();
      const auto is_done = now(old.log().examine(segment, {}));
      ASSERT_TRUE(is_done && *is_done);
      EXPECT_TRUE(equal(old.file(old.bases[1], kind), right)) << name << ", byte " << byte;
      old.world.crash();
    }
  }
}

TEST(LogDamage, AnExaminationFindsWhatNobodyReads) {
  const Quiet quiet;
  for (int n = 0; n < 12; ++n) {
    OldLog old(2);
    auto batch = old.written.find(old.bases[1]);
    size_t position = 0;
    for (int i = 0; i < n; ++i, ++batch) position += batch->second.size();
    old.file(old.bases[1], FileKind::log)[position + 40] ^= std::byte{2};
    old.reopen();
    const SegmentPtr segment = old.log().segments_between(old.bases[1], old.bases[1] + 1).front();
    const auto is_done = now(old.log().examine(segment, {}));
    ASSERT_TRUE(is_done && *is_done);
    ASSERT_EQ(old.log().quarantined().size(), 1U) << n;
    EXPECT_EQ(old.log().quarantined()[0].first_offset, batch->first);
    EXPECT_EQ(old.log().quarantined()[0].position, position);
    EXPECT_EQ(old.log().quarantined()[0].size_bytes, batch->second.size());
  }
}

TEST(LogDamage, AFileThatLostItsEndIsMissedFromThereOn) {
  const Quiet quiet;
  for (uint64_t seed = 0; seed < rounds_for_test(150) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    OldLog old(seed % 5);
    Bytes& bytes = old.file(old.bases[1], FileKind::log);
    size_t size = 1 + random() % (bytes.size() - 1);
    if (seed % 2 == 0) {  // right behind a batch
      size = 0;
      auto batch = old.written.find(old.bases[1]);
      for (uint64_t i = 0; i < 1 + random() % 11; ++i, ++batch) size += batch->second.size();
    }
    bytes.resize(size);
    SCOPED_TRACE(fmt::format("seed {}, cut to {}", seed, size));
    old.reopen();
    const std::set<Offset> given = old.consume(Offset(0), 400);
    std::set<Offset> expected;
    size_t position = 0;
    for (const auto& [base, batch] : old.written) {
      if (base < old.bases[1] || base >= old.bases[2]) expected.insert(base);
      if (base >= old.bases[1] && base < old.bases[2] && (position += batch.size()) <= size) expected.insert(base);
    }
    EXPECT_EQ(given, expected);
  }
}

TEST(LogDamage, SeveralDamagedBatchesAreSeveralRanges) {
  const Quiet quiet;
  OldLog old(3);
  Bytes& bytes = old.file(Offset(0), FileKind::log);
  size_t position = 0;
  std::set<Offset> hit;
  int n = 0;
  for (const auto& [base, batch] : old.written) {
    if (base >= old.bases[1]) break;
    if (n % 4 == 1) bytes[position + 30] ^= std::byte{1};                     // its contents
    if (n % 4 == 3) std::memset(bytes.data() + position, 0, batch.size());  // a lost sector
    if (n % 2 == 1) hit.insert(base);
    position += batch.size();
    ++n;
  }
  old.reopen();
  const std::set<Offset> given = old.consume(Offset(0), 100);
  for (const auto& [base, batch] : old.written) EXPECT_EQ(given.contains(base), !hit.contains(base)) << base.value();
  EXPECT_EQ(old.log().quarantined().size(), hit.size());
}

TEST(LogDamage, WhatTheDiskCannotReadIsDamagedAndTheDirectoryStaysOnline) {
  const Quiet quiet;
  OldLog old(8, 120);
  const size_t size = old.file(old.bases[1], FileKind::log).size();
  ASSERT_GT(size, 3 * 4096U);
  old.world.environment.disk.unreadable[file_path("/data/t-0", old.bases[1], FileKind::log)] = {4096, 8192};
  old.reopen();
  const std::set<Offset> given = old.consume(Offset(0), 2000);
  size_t position = 0;
  for (const auto& [base, batch] : old.written) {
    const bool is_of_segment = base >= old.bases[1] && base < old.bases[2];
    const bool is_hit = is_of_segment && position + batch.size() > 4096 && position < 8192;
    if (is_of_segment) position += batch.size();
    EXPECT_EQ(given.contains(base), !is_hit) << base.value();
  }
  EXPECT_FALSE(old.log().is_offline());
  EXPECT_EQ(old.log().quarantined().size(), 1U);
}

TEST(LogDamage, MessagesOfOldKafkasAreCheckedToo) {
  const Quiet quiet;
  for (const int8_t magic : {int8_t{0}, int8_t{1}}) {
    LogWorld world;
    std::vector<size_t> ends;
    put_file(world, "00000000000000000000.log", [&] {
      Bytes log;
      for (int64_t offset = 0; offset < 4; ++offset) {
        add(log, encode({.magic = magic, .offset = offset, .timestamp_ms = 1000 + offset}));
        ends.push_back(log.size());
      }
      const LegacyMessage inner[] = {{.offset = 4, .timestamp_ms = 1004}, {.offset = 5, .timestamp_ms = 1005}};
      add(log, encode_compressed(protocol::Codec::gzip, magic, inner));
      log[ends[1] + 30] ^= std::byte{1};  // in the third
      return log;
    }());
    world.reopen(true, Offset(6), Offset(0), Offset(6));
    const auto first = now(world.log->read(Offset(0), 1 << 20, true, ReadIsolation::log_end));
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->size_bytes, ends[1]);
    EXPECT_FALSE(now(world.log->read(Offset(2), 1 << 20, true, ReadIsolation::log_end)));
    const auto behind = now(world.log->read(Offset(3), 1 << 20, true, ReadIsolation::log_end));
    ASSERT_TRUE(behind) << behind.error().message;
    EXPECT_EQ(behind->position, ends[2]);
    ASSERT_TRUE(now(world.log->read(Offset(4), 1 << 20, true, ReadIsolation::log_end)));
  }
}

TEST(LogDamage, AReaderOfWhatThisProcessWroteCausesNoCheck) {
  OldLog old(4);
  old.reopen();
  ASSERT_TRUE(append(old.world, batch_of(3)));
  old.log().update_high_watermark(old.log().log_end_offset());
  const SegmentPtr active = old.log().segments_between(old.end, old.end + 1).front();
  ASSERT_TRUE(now(old.log().read(old.end, 1000, true, ReadIsolation::high_watermark)));
  EXPECT_TRUE(active->trust().is_verified(active->size_bytes() - 1, active->size_bytes()));
}

TEST(LogDamage, ATimeIsFoundBehindADamagedBatch) {
  const Quiet quiet;
  OldLog old(5);
  const auto third = std::next(old.written.begin(), 2);
  size_t position = old.written.begin()->second.size() + std::next(old.written.begin())->second.size();
  old.file(Offset(0), FileKind::log)[position + 40] ^= std::byte{4};
  old.reopen();
  const auto found = now(old.log().offset_for_timestamp(1'750'000'000'002));  // the third batch's
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->offset, std::next(third)->first);
  EXPECT_EQ(old.log().quarantined().size(), 1U);
}

TEST(LogDamage, WhatIsDamagedIsFoundAgainByTheNextProcessAndRetentionMayTakeIt) {
  const Quiet quiet;
  OldLog old(6);
  old.file(Offset(0), FileKind::log)[70] ^= std::byte{1};
  for (int boot = 0; boot < 2; ++boot) {
    old.reopen();
    EXPECT_FALSE(now(old.log().read(Offset(0), 1000, true, ReadIsolation::high_watermark)));
    EXPECT_EQ(old.log().quarantined().size(), 1U);
    if (boot == 0) old.world.crash();
  }
  ASSERT_TRUE(now(old.log().delete_records_before(old.bases[1])));
  const auto deleted = now(old.log().delete_old_segments());
  ASSERT_TRUE(deleted);
  EXPECT_EQ(*deleted, 1);
  EXPECT_TRUE(old.log().quarantined().empty());
}

}  // namespace
}  // namespace moldau::storage::test
