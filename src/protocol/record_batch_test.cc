// Batches that the builder makes, read again; and what a leader changes in place.
#include "protocol/record_places.h"

#include <gtest/gtest.h>

#include "protocol/batch_builder.h"

namespace moldau::protocol {
namespace {

constexpr Codec all_codecs[] = {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

Bytes batch_of(BatchOptions options, int count, size_t value_bytes) {
  BatchBuilder builder(options);
  const Bytes value(value_bytes, std::byte{'v'});
  const RecordHeader headers[] = {{"trace", as_bytes("1")}, {"", std::nullopt}};
  for (int i = 0; i < count; ++i) builder.append(1000 + i, as_bytes("key"), value, headers);
  return builder.finish();
}

int count_records(ByteView batch) {
  RecordIterator records(batch);
  int count = 0;
  while (true) {
    const auto record = records.next();
    EXPECT_TRUE(record.has_value()) << record.error().what;
    if (!record || *record == nullptr) return count;
    ++count;
  }
}

TEST(RecordBatch, EveryCodecGivesTheRecordsBack) {
  for (const Codec codec : all_codecs) {
    SCOPED_TRACE(codec_name(codec));
    const Bytes batch = batch_of({.codec = codec, .base_offset = Offset(70)}, 5, 100'000);
    EXPECT_TRUE(is_batch_crc_right(batch));
    RecordIterator records(batch);
    for (int i = 0; i < 5; ++i) {
      const auto record = records.next();
      ASSERT_TRUE(record.has_value()) << record.error().what;
      ASSERT_NE(*record, nullptr);
      EXPECT_EQ((*record)->offset, Offset(70 + i));
      EXPECT_EQ((*record)->timestamp_ms, 1000 + i);
      EXPECT_EQ(as_text(*(*record)->key), "key");
      EXPECT_EQ((*record)->value->size(), 100'000U);
      const auto headers = (*record)->headers.decode();
      ASSERT_EQ(headers.size(), 2U);
      EXPECT_EQ(headers[0].key, "trace");
      EXPECT_EQ(as_text(*headers[0].value), "1");
      EXPECT_FALSE(headers[1].value.has_value());
    }
    EXPECT_EQ(*records.next(), nullptr);
  }
}

TEST(RecordBatch, TheCursorFindsWholeBatchesAndStopsBeforeACutOne) {
  const Bytes one = batch_of({}, 2, 10);
  Bytes run = one;
  run.insert(run.end(), one.begin(), one.end());
  run.insert(run.end(), one.begin(), one.end() - 1);
  BatchCursor cursor(run);
  EXPECT_TRUE(cursor.next()->has_value());
  EXPECT_TRUE(cursor.next()->has_value());
  EXPECT_FALSE(cursor.next()->has_value());
  EXPECT_EQ(cursor.position(), 2 * one.size());
}

TEST(RecordBatch, BaseOffsetAndEpochLieOutsideTheCrc) {
  Bytes batch = batch_of({}, 3, 10);
  patch_base_offset(batch, Offset(1'000'000));
  patch_leader_epoch(batch, LeaderEpoch(7));
  EXPECT_TRUE(is_batch_crc_right(batch));
  EXPECT_EQ(read_batch_header(batch).last_offset(), Offset(1'000'002));
  EXPECT_EQ(read_batch_header(batch).leader_epoch, LeaderEpoch(7));
}

TEST(RecordBatch, PatchingTheTimestampSetsTheCrcAgain) {
  Bytes batch = batch_of({}, 3, 10);
  patch_timestamp(batch, TimestampType::log_append_time, 5000);
  EXPECT_TRUE(is_batch_crc_right(batch));
  RecordIterator records(batch);
  EXPECT_EQ((*records.next())->timestamp_ms, 5000);
}

TEST(RecordBatch, WritingAHeaderBackChangesNothing) {
  const Bytes batch = batch_of({.producer_id = ProducerId(9),
                                .producer_epoch = ProducerEpoch(2),
                                .base_sequence = 4,
                                .is_transactional = true},
                               3, 10);
  Bytes copy(batch.size());
  std::copy(batch.begin(), batch.end(), copy.begin());
  write_batch_header(copy, read_batch_header(batch));
  EXPECT_EQ(copy, batch);
  EXPECT_EQ(read_batch_header(batch).last_sequence(), 6);
}

TEST(RecordBatch, SequencesGoOnAtZero) {
  EXPECT_EQ(advance_sequence(2147483647, 1), 0);
  EXPECT_EQ(advance_sequence(2147483645, 4), 1);
  EXPECT_EQ(advance_sequence(5, 3), 8);
}

TEST(RecordBatch, ABoundOnDecompressionHolds) {
  const Bytes batch = batch_of({.codec = Codec::zstd}, 1, 50'000'000);
  ASSERT_LT(batch.size(), 20'000U);
  RecordIterator records(batch, 1'000'000);
  EXPECT_EQ(records.next().error().reason, BatchError::Reason::too_large);
}

TEST(RecordBatch, CountsWhatItHolds) {
  for (const Codec codec : all_codecs) EXPECT_EQ(count_records(batch_of({.codec = codec}, 1000, 20)), 1000);
}

TEST(RecordPlaces, AreThoseOfTheRecords) {
  for (const Codec codec : all_codecs)
    for (const size_t value_bytes : {size_t{0}, size_t{20}, size_t{100'000}}) {
      const Bytes batch = batch_of({.codec = codec}, 30, value_bytes);
      RecordIterator records(batch);
      RecordPlaces places(batch);
      while (true) {
        const Record* record = *records.next();
        const auto place = places.next();
        ASSERT_TRUE(place) << place.error().what;
        ASSERT_EQ(place->has_value(), record != nullptr);
        if (record == nullptr) break;
        EXPECT_EQ(**place, (RecordPlace{record->offset, record->timestamp_ms}));
      }
    }
}

TEST(RecordPlaces, NamesWhatIsWrong) {
  Bytes cut = batch_of({.codec = Codec::zstd}, 3, 10);
  auto header = read_batch_header(cut);
  header.count = 4;
  write_batch_header(cut, header);
  RecordPlaces places(cut);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(places.next());
  EXPECT_EQ(places.next().error().reason, BatchError::Reason::malformed);
}

}  // namespace
}  // namespace moldau::protocol
