#include "cli/log_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "cli/log_files.h"
#include "cli/log_records.h"
#include "protocol/batch_builder.h"

namespace moldau::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Bytes batch(int64_t base_offset, int count, int64_t timestamp = 1000) {
  protocol::BatchBuilder builder({.base_offset = Offset(base_offset)});
  for (int i = 0; i < count; ++i) builder.append(timestamp, std::nullopt, as_bytes("v"));
  return builder.finish();
}
Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
Bytes index_entry(int32_t offset, int32_t position) {
  Bytes entry(8);
  store_be(entry.data(), offset);
  store_be(entry.data() + 4, position);
  return entry;
}

struct Check {
  std::vector<Damage> damage;
  CheckedSegment segment(ByteView bytes, int64_t base = 0, int64_t previous_end = -1) {
    return check_segment("s.log", bytes, base, previous_end, damage);
  }
};

TEST(LogCheck, AGoodSegmentHasNoDamage) {
  Check check;
  const auto segment = check.segment(joined({batch(0, 3), batch(3, 1), batch(10, 2)}));
  EXPECT_THAT(check.damage, IsEmpty());
  EXPECT_EQ(segment.records, 6);
  EXPECT_EQ(segment.batches.back().last_offset, 11);
}

TEST(LogCheck, SaysThatANewerReleaseHasWrittenABatch) {
  Check check;
  Bytes bytes = joined({batch(0, 1), batch(1, 1)});
  const size_t second = batch(0, 1).size();
  bytes[second + 16] = std::byte{3};
  const auto segment = check.segment(bytes);
  ASSERT_EQ(check.damage.size(), 1U);
  EXPECT_EQ(check.damage[0].position, second);
  EXPECT_THAT(check.damage[0].what, HasSubstr("magic 3, where this release knows 0 to 2: a newer Apache Kafka has written it"));
  bytes[second + 16] = std::byte{0xff};
  check.segment(bytes);
  EXPECT_THAT(check.damage.back().what, HasSubstr("unknown magic -1"));
}

TEST(LogCheck, NamesTheBatchWithAFlippedBitAndReadsOn) {
  Check check;
  Bytes bytes = joined({batch(0, 1), batch(1, 1), batch(2, 1)});
  const size_t second = batch(0, 1).size();
  bytes[second + 65] ^= std::byte{4};
  const auto segment = check.segment(bytes);
  ASSERT_EQ(check.damage.size(), 1U);
  EXPECT_EQ(check.damage[0].position, second);
  EXPECT_THAT(check.damage[0].what, HasSubstr("offsets 1 to 1 is damaged: the CRC is wrong"));
  EXPECT_EQ(segment.batches.size(), 3U);
}

TEST(LogCheck, NamesATornTailButNotZerosSetAside) {
  Check torn;
  Bytes bytes = joined({batch(0, 1), batch(1, 1)});
  bytes.resize(bytes.size() - 3);
  torn.segment(bytes);
  ASSERT_EQ(torn.damage.size(), 1U);
  EXPECT_EQ(torn.damage[0].position, batch(0, 1).size());
  EXPECT_THAT(torn.damage[0].what, HasSubstr("cut off"));
}

TEST(LogCheck, NamesOffsetsThatGoBackWithinAndBetweenSegments) {
  Check within;
  within.segment(joined({batch(5, 1), batch(3, 1)}));
  ASSERT_EQ(within.damage.size(), 1U);
  EXPECT_THAT(within.damage[0].what, HasSubstr("offsets go back"));
  Check between;
  between.segment(batch(5, 1), 5, 9);
  EXPECT_FALSE(between.damage.empty());
}

TEST(LogCheck, AnOffsetIndexPointsToBatchesAtOrBeforeItsOffset) {
  Check check;
  const auto segment = check.segment(joined({batch(0, 2), batch(2, 2)}));
  const auto second = static_cast<int32_t>(segment.batches[1].position);
  check_offset_index("s.index", joined({index_entry(3, second), Bytes(16)}), 0, segment, check.damage);
  EXPECT_THAT(check.damage, IsEmpty());
  check_offset_index("s.index", index_entry(3, second + 1), 0, segment, check.damage);
  check_offset_index("s.index", index_entry(1, second), 0, segment, check.damage);
  check_offset_index("s.index", joined({index_entry(3, second), index_entry(2, second)}), 0, segment,
                     check.damage);
  check_offset_index("s.index", Bytes(5, std::byte{1}), 0, segment, check.damage);
  ASSERT_EQ(check.damage.size(), 4U);
  EXPECT_THAT(check.damage[0].what, HasSubstr("where no batch begins"));
  EXPECT_THAT(check.damage[1].what, HasSubstr("behind it"));
  EXPECT_THAT(check.damage[2].what, HasSubstr("do not rise"));
  EXPECT_THAT(check.damage[3].what, HasSubstr("whole number"));
}

TEST(LogCheck, ATimeIndexAgreesWithTheBatches) {
  Check check;
  const auto segment = check.segment(joined({batch(0, 2, 500), batch(2, 2, 700)}));
  Bytes entry(12);
  store_be<int64_t>(entry.data(), 700);
  store_be<int32_t>(entry.data() + 8, 3);
  check_time_index("s.timeindex", entry, 0, segment, check.damage);
  EXPECT_THAT(check.damage, IsEmpty());
  store_be<int64_t>(entry.data(), 701);
  check_time_index("s.timeindex", entry, 0, segment, check.damage);
  ASSERT_EQ(check.damage.size(), 1U);
  EXPECT_THAT(check.damage[0].what, HasSubstr("said to have timestamp 701, its batch has 700"));
}

TEST(LogCheck, AProducerSnapshotHasItsCrcAndSize) {
  Check check;
  Bytes snapshot(producer_snapshot_header_bytes + producer_snapshot_entry_bytes);
  store_be<int16_t>(snapshot.data(), 1);
  store_be<int32_t>(snapshot.data() + 6, 1);
  store_be<uint32_t>(snapshot.data() + 2, crc32c(ByteView(snapshot).subspan(6)));
  check_producer_snapshot("s.snapshot", snapshot, check.damage);
  EXPECT_THAT(check.damage, IsEmpty());
  snapshot.back() = std::byte{1};
  check_producer_snapshot("s.snapshot", snapshot, check.damage);
  EXPECT_EQ(check.damage.size(), 1U);
}

TEST(LogCheck, ATextCheckpointHasAsManyEntriesAsItSays) {
  Check check;
  check_text_checkpoint("c", "0\n2\n0 0\n3 17\n", check.damage);
  check_text_checkpoint("c", "", check.damage);
  EXPECT_THAT(check.damage, IsEmpty());
  check_text_checkpoint("c", "0\n2\n0 0\n", check.damage);
  check_text_checkpoint("c", "1\n0\n", check.damage);
  EXPECT_EQ(check.damage.size(), 2U);
}

TEST(LogFiles, NamesSayWhatAFileIs) {
  const auto segment = log_file_of("/data/orders-with-dash-3/00000000000000000042.log");
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->topic, "orders-with-dash");
  EXPECT_EQ(segment->partition, 3);
  EXPECT_EQ(segment->base_offset, 42);
  EXPECT_EQ(log_file_of("/d/t-0/00000000000000000042.timeindex")->kind, LogFile::Kind::time_index);
  EXPECT_EQ(log_file_of("/d/__cluster_metadata-0/00000000000000000042-0000000003.checkpoint")->kind,
            LogFile::Kind::segment);
  EXPECT_EQ(log_file_of("/d/t-0.0123456789abcdef0123456789abcdef-delete/00000000000000000000.log")->topic,
            "t");
  EXPECT_FALSE(log_file_of("/d/t-0/readme.txt"));
  EXPECT_FALSE(log_file_of("/d/t-0/42.log"));
}

TEST(LogRecords, DecodesACommittedOffsetAndSaysWhatItCannotDecode) {
  const Bytes key = from_hex(
      "0001"
      "000167"
      "000174"
      "00000002");
  const Bytes value = from_hex(
      "0003"
      "0000000000000007"
      "ffffffff"
      "0000"
      "0000000000000001");
  const auto json = decoded_record(RecordDecoder::groups, key, value);
  EXPECT_EQ(json.at("type").as_string(), "OffsetCommit");
  EXPECT_EQ(json.at("key").at("group").as_string(), "g");
  EXPECT_EQ(json.at("value").at("offset").as_int64(), 7);
  EXPECT_TRUE(decoded_record(RecordDecoder::groups, from_hex("7fff"), std::nullopt).contains("undecoded"));
  EXPECT_TRUE(decoded_record(RecordDecoder::metadata, std::nullopt, from_hex("ff")).contains("undecoded"));
}

}  // namespace
}  // namespace moldau::cli
