// A leader's check, where topics differ from the default settings that the golden vectors were made with.
#include "protocol/batch_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/batch_builder.h"

namespace moldau::protocol {
namespace {

using testing::HasSubstr;

constexpr int64_t clock_ms = 1'750'000'000'000;
constexpr LeaderEpoch epoch{7};

Bytes batch_of(int count, BatchOptions options = {}) {
  BatchBuilder builder(options);
  for (int i = 0; i < count; ++i) builder.append(clock_ms - 10 + i, as_bytes("key"), as_bytes("value"));
  return builder.finish();
}

result<ValidatedBatch, BatchRejection> check(Bytes& batch, const ValidationSettings& settings,
                                             AppendOrigin origin = AppendOrigin::client) {
  return validate_batch(batch, origin, settings, Offset(500), epoch, clock_ms);
}

TEST(BatchValidation, GivesTheBatchItsPlaceInTheLog) {
  Bytes batch = batch_of(3);
  const auto validated = check(batch, {});
  ASSERT_TRUE(validated.has_value()) << validated.error().message;
  EXPECT_EQ(validated->header.base_offset, Offset(500));
  EXPECT_EQ(validated->header.last_offset(), Offset(502));
  EXPECT_EQ(validated->header.leader_epoch, epoch);
  EXPECT_EQ(validated->header.max_timestamp_ms, clock_ms - 8);
  EXPECT_TRUE(is_batch_crc_right(batch));
  EXPECT_EQ(read_batch_header(batch).base_offset, Offset(500));
}

TEST(BatchValidation, NamesTheLimitThatABatchExceeds) {
  Bytes batch = batch_of(3);
  const auto refused = check(batch, {.max_message_bytes = static_cast<int32_t>(batch.size()) - 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::message_too_large);
  EXPECT_THAT(refused.error().message, HasSubstr("max.message.bytes = " + std::to_string(batch.size() - 1)));
  EXPECT_TRUE(check(batch, {.max_message_bytes = static_cast<int32_t>(batch.size())}).has_value());
}

TEST(BatchValidation, LogAppendTimeTakesTheClock) {
  for (const Codec codec : {Codec::none, Codec::lz4}) {
    Bytes batch = batch_of(3, {.codec = codec});
    ASSERT_TRUE(check(batch, {.timestamp_type = TimestampType::log_append_time}).has_value());
    RecordIterator records(batch);
    EXPECT_EQ((*records.next())->timestamp_ms, clock_ms);
    EXPECT_TRUE(is_batch_crc_right(batch));
  }
}

TEST(BatchValidation, ACompactedTopicRefusesEachRecordWithoutAKey) {
  for (const Codec codec : {Codec::none, Codec::zstd}) {
    BatchBuilder builder({.codec = codec});
    builder.append(clock_ms, as_bytes("key"), as_bytes("value"));
    builder.append(clock_ms, std::nullopt, as_bytes("value"));
    builder.append(clock_ms, as_bytes(""), std::nullopt);
    Bytes batch = builder.finish();
    const auto refused = check(batch, {.is_compacted = true});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_record);
    ASSERT_EQ(refused.error().record_errors.size(), 1U);
    EXPECT_EQ(refused.error().record_errors[0].batch_index, 1);
  }
}

TEST(BatchValidation, TimestampsStayWithinTheTopicsBounds) {
  const ValidationSettings settings{.timestamp_before_max_ms = 1000, .timestamp_after_max_ms = 100};
  for (const auto [timestamp_ms, is_taken] : {std::pair{clock_ms - 1000, true},
                                              {clock_ms - 1001, false},
                                              {clock_ms + 100, true},
                                              {clock_ms + 101, false},
                                              {no_timestamp_ms, true}}) {
    BatchBuilder builder({});
    builder.append(timestamp_ms, std::nullopt, std::nullopt);
    Bytes batch = builder.finish();
    const auto checked = check(batch, settings);
    EXPECT_EQ(checked.has_value(), is_taken) << timestamp_ms - clock_ms;
    if (checked) continue;
    EXPECT_EQ(checked.error().code, ErrorCode::invalid_timestamp);
    EXPECT_THAT(checked.error().record_errors.at(0).message,
                HasSubstr("message.timestamp.before.max.ms = 1000"));
  }
}

TEST(BatchValidation, AnotherCodecOfTheTopicRewritesTheBatch) {
  for (const Codec from : {Codec::none, Codec::gzip})
    for (const Codec to : {Codec::none, Codec::snappy, Codec::zstd}) {
      Bytes batch = batch_of(50, {.codec = from,
                                  .producer_id = ProducerId(8),
                                  .producer_epoch = ProducerEpoch(1),
                                  .base_sequence = 30,
                                  .is_transactional = true});
      const auto validated = check(batch, {.codec = to});
      ASSERT_TRUE(validated.has_value());
      ASSERT_EQ(validated->rewritten.has_value(), from != to);
      const ByteView written = validated->rewritten ? ByteView(*validated->rewritten) : ByteView(batch);
      const RecordBatchHeader header = read_batch_header(written);
      EXPECT_EQ(header.codec(), to);
      EXPECT_EQ(header.base_offset, Offset(500));
      EXPECT_EQ(header.last_offset(), Offset(549));
      EXPECT_EQ(header.leader_epoch, epoch);
      EXPECT_EQ(header.producer_id, ProducerId(8));
      EXPECT_EQ(header.last_sequence(), 79);
      EXPECT_TRUE(header.is_transactional());
      EXPECT_TRUE(is_batch_crc_right(written));
    }
}

TEST(BatchValidation, ACodecMustNotMakeABatchLargerThanTheLimit) {
  BatchBuilder builder({.codec = Codec::zstd});
  const Bytes value(100'000, std::byte{'v'});
  builder.append(clock_ms, std::nullopt, value);
  Bytes batch = builder.finish();
  const auto refused = check(batch, {.max_message_bytes = 10'000, .codec = Codec::none});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::message_too_large);
}

// A megabyte can hold a gigabyte. What is compressed again lies in memory whole, so there is an end to it.
TEST(BatchValidation, ABombIsNotCompressedAgain) {
  const std::string zeros(9 << 20, '\0');
  const ValidationSettings settings{.max_message_bytes = 8 << 20};
  for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    for (const int count : {7, 8}) {
      BatchBuilder builder({.codec = codec});
      for (int i = 0; i < count; ++i) builder.append(clock_ms, as_bytes("key"), as_bytes(zeros));
      Bytes batch = builder.finish();
      ASSERT_LT(batch.size(), static_cast<size_t>(settings.max_message_bytes));
      ValidationSettings recompressed = settings;
      recompressed.codec = codec == Codec::lz4 ? Codec::snappy : Codec::lz4;
      Bytes untouched = batch;
      EXPECT_TRUE(check(untouched, settings).has_value()) << codec_name(codec);
      const auto checked = check(batch, recompressed);
      EXPECT_EQ(checked.has_value(), count == 7) << codec_name(codec);
      if (checked) continue;
      EXPECT_EQ(checked.error().code, ErrorCode::message_too_large);
      EXPECT_THAT(checked.error().message, HasSubstr("more than 67108864 bytes of records"));
    }
  }
}

TEST(BatchValidation, ControlBatchesComeFromCoordinatorsOnlyAndStayUncompressed) {
  BatchBuilder builder({.is_transactional = true, .is_control = true});
  builder.append(clock_ms, as_bytes(std::string_view("\0\0\0\1", 4)),
                 as_bytes(std::string_view("\0\0\0\0\0\0", 6)));
  Bytes batch = builder.finish();
  EXPECT_EQ(check(batch, {}).error().code, ErrorCode::invalid_record);
  const auto taken = check(batch, {.codec = Codec::gzip}, AppendOrigin::coordinator);
  ASSERT_TRUE(taken.has_value());
  EXPECT_FALSE(taken->rewritten.has_value());
}

TEST(BatchValidation, ProduceTakesOneBatchOfMagic2) {
  Bytes two = batch_of(1);
  const Bytes one = two;
  two.insert(two.end(), one.begin(), one.end());
  EXPECT_EQ(single_produced_batch({}, 9).error().code, ErrorCode::invalid_record);
  EXPECT_EQ(single_produced_batch(two, 9).error().code, ErrorCode::invalid_record);
  EXPECT_EQ(single_produced_batch(ByteView(two).first(two.size() - 1), 9)->size(), one.size())
      << "a cut-off tail";
  EXPECT_EQ(single_produced_batch(batch_of(1, {.codec = Codec::zstd}), 6).error().code,
            ErrorCode::unsupported_compression_type);
  EXPECT_TRUE(single_produced_batch(batch_of(1, {.codec = Codec::zstd}), 7).has_value());
}

TEST(BatchValidation, ErrorsOfRecordsAreListedUpToABound) {
  BatchBuilder builder({});
  for (int i = 0; i < 5000; ++i) builder.append(clock_ms, std::nullopt, std::nullopt);
  Bytes batch = builder.finish();
  const auto refused = check(batch, {.is_compacted = true});
  EXPECT_EQ(refused.error().record_errors.size(), 1000U);
  EXPECT_THAT(refused.error().message, HasSubstr("5000"));
}

}  // namespace
}  // namespace moldau::protocol
