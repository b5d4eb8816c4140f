// Compaction of segments that hold messages of magic 0 and 1: what stays of them becomes batches of magic 2, as with Apache Kafka 4's cleaner.
#include <gtest/gtest.h>

#include "protocol/legacy_batch.h"
#include "storage/compaction/cleanable_log.h"
#include "storage/legacy_messages_for_test.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

constexpr const char* first_segment = "00000000000000000000.log";

class LegacyCleaning : public testing::TestWithParam<protocol::Codec> {
 protected:
  // Offsets 0 and 1 of magic 0, 2 to 4 compressed; 5 and 6 of magic 1, 7 to 10 compressed; 11 of magic 2. Then an active segment.
  void open() {
    const protocol::Codec codec = GetParam();
    add(old_, encode({.magic = 0, .offset = 0, .value = "a0", .key = "a"}));
    add(old_, encode({.magic = 0, .offset = 1, .value = "b1", .key = "b"}));
    const LegacyMessage first[] = {{.offset = 2, .value = "a2", .key = "a"}, {.offset = 3, .value = "c3", .key = "c"}, {.offset = 4, .value = "d4", .key = "d"}};
    add(old_, encode_compressed(codec, 0, first));
    add(old_, encode({.magic = 1, .offset = 5, .timestamp_ms = 1000, .value = std::nullopt, .key = "b"}));
    add(old_, encode({.magic = 1, .offset = 6, .timestamp_ms = 1005, .value = "nobody's"}));
    const LegacyMessage second[] = {{.offset = 7, .timestamp_ms = 1010, .value = "e7", .key = "e"},
                                    {.offset = 8, .timestamp_ms = 1040, .value = "a8", .key = "a"},
                                    {.offset = 9, .timestamp_ms = 1030, .value = "e9", .key = "e"},
                                    {.offset = 10, .timestamp_ms = 1015, .value = "f10", .key = "f"}};
    add(old_, encode_compressed(codec, 1, second));
    protocol::BatchBuilder builder({.base_offset = Offset(11), .leader_epoch = LeaderEpoch(3)});
    builder.append(1050, as_bytes("f"), as_bytes("f11"));
    add(old_, builder.finish());
    put_file(world_, first_segment, old_);
    world_.environment.disk.files.at(world_.path(first_segment))->modified_ms = world_.environment.clock_ms;
    world_.config.is_compacted = true;
    world_.config.delete_retention_ms = 1000;
    world_.open();
    ASSERT_TRUE(now(world_.log->roll()));
    world_.log->update_high_watermark(Offset(12));
  }
  Offset clean(Offset from) {
    const auto found = now(measure_cleanable(*world_.log, from, world_.environment.clock_ms));
    MOLDAU_ASSERT(found.has_value());
    const auto outcome = now(clean_log(*world_.log, found->range, {}));
    EXPECT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome && outcome->is_finished);
    return outcome ? outcome->next_dirty : no_offset;
  }
  // Each batch as "magic last-offset time [horizon]: offset=value@time ...".
  std::vector<std::string> contents() {
    std::vector<std::string> all;
    const Bytes& bytes = world_.environment.disk.bytes_of(world_.path(first_segment));
    protocol::BatchCursor cursor(bytes);
    while (true) {
      const auto next = cursor.next();
      if (!next || !*next) return all;
      EXPECT_TRUE(protocol::is_crc_right_in_any_magic((*next)->bytes));
      const protocol::RecordBatchHeader header = protocol::read_header_of_any_magic((*next)->bytes);
      std::string text = fmt::format("{} {} {}", header.magic, header.last_offset(), header.max_timestamp_ms);
      EXPECT_EQ(header.magic, 2);
      if (header.delete_horizon_ms()) text += fmt::format(" horizon +{}", *header.delete_horizon_ms() - world_.environment.clock_ms);
      text += ":";
      protocol::RecordIterator records((*next)->bytes);
      for (auto record = records.next(); record && *record != nullptr; record = records.next())
        text += fmt::format(" {}={}@{}", (*record)->offset, (*record)->value ? as_text(*(*record)->value) : "none", (*record)->timestamp_ms);
      all.push_back(text);
    }
  }

  Bytes old_;
  LogWorld world_;
};

TEST_P(LegacyCleaning, KeepsTheNewestOfEachKeyInTodaysForm) {
  open();
  EXPECT_EQ(clean(Offset(0)), Offset(12));
  const std::vector<std::string> expected = {"2 4 -1: 3=c3@-1 4=d4@-1", "2 5 1000 horizon +1000: 5=none@1000", "2 9 1040: 8=a8@1040 9=e9@1030", "2 11 1050: 11=f11@1050"};
  EXPECT_EQ(contents(), expected);
  const auto found = now(world_.log->offset_for_timestamp(1020));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->offset, Offset(8));
  EXPECT_EQ(clean(Offset(0)), Offset(12));
  EXPECT_EQ(contents(), expected) << "what is clean stays as it is";
}

TEST_P(LegacyCleaning, ATombstoneGoesWhenItsHorizonHasPassed) {
  open();
  EXPECT_EQ(clean(Offset(0)), Offset(12));
  EXPECT_EQ(contents()[1], "2 5 1000 horizon +1000: 5=none@1000");
  world_.environment.advance_ms(999);
  EXPECT_EQ(clean(Offset(0)), Offset(12));
  EXPECT_EQ(contents()[1], "2 5 1000 horizon +1: 5=none@1000");
  world_.environment.advance_ms(1);
  EXPECT_EQ(clean(Offset(0)), Offset(12));
  EXPECT_EQ(contents()[1], "2 9 1040: 8=a8@1040 9=e9@1030");
}

// Before they were compacted they have no horizon: what counts is how much older their segment is than the last one that was clean already.
TEST_P(LegacyCleaning, ATombstoneOfAnOldSegmentGoesAtOnce) {
  open();
  world_.environment.advance_ms(5000);
  for (const char* key : {"g", "g"}) {
    protocol::BatchBuilder builder(protocol::BatchOptions{});
    builder.append(2000, as_bytes(key), as_bytes("later"));
    Bytes batch = builder.finish();
    ASSERT_TRUE(append(world_, batch, 3));
    ASSERT_TRUE(now(world_.log->roll()));
  }
  world_.log->update_high_watermark(Offset(14));
  EXPECT_EQ(clean(Offset(13)), Offset(14));
  const std::vector<std::string> left = contents();
  EXPECT_EQ(left[1], "2 1 -1: 1=b1@-1") << "it was not compacted with the rest";
  EXPECT_TRUE(std::ranges::none_of(left, [](const std::string& batch) { return batch.contains("none"); }));
}

TEST_P(LegacyCleaning, IsGoneOnWithAfterAKill) {
  open();
  clean(Offset(0));
  const std::vector<std::string> cleaned = contents();
  world_.crash();
  world_.reopen(false, Offset(0));
  EXPECT_TRUE(world_.report.damage.empty());
  EXPECT_EQ(world_.log->log_end_offset(), Offset(12));
  EXPECT_EQ(contents(), cleaned);
}

// Apache Kafka's cleaner gives up here, because it makes no empty batch of an old one.
TEST_P(LegacyCleaning, WhatIsLeftOfTheLastBatchOfARoundIsAHeader) {
  add(old_, encode({.magic = 1, .offset = 0, .timestamp_ms = 1000, .value = "nobody's"}));
  add(old_, encode({.magic = 1, .offset = 1, .timestamp_ms = 1001, .value = "nobody's"}));
  put_file(world_, first_segment, old_);
  world_.config.is_compacted = true;
  world_.open();
  ASSERT_TRUE(now(world_.log->roll()));
  world_.log->update_high_watermark(Offset(2));
  EXPECT_EQ(clean(Offset(0)), Offset(2));
  EXPECT_EQ(contents(), std::vector<std::string>{"2 1 1001:"});
}

INSTANTIATE_TEST_SUITE_P(Codecs, LegacyCleaning, testing::Values(protocol::Codec::gzip, protocol::Codec::snappy, protocol::Codec::lz4));

}  // namespace
}  // namespace moldau::storage::test
