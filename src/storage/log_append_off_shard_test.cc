// Large batches are checked off the shard: what may pass them meanwhile, and what may not.
#include <gtest/gtest.h>

#include "runtime/scope.h"
#include "storage/log_for_test.h"

namespace moldau::storage::test {
namespace {

// One that makes the shard hand its check away, and one of a few bytes more uncompressed than it may decompress itself.
Bytes large_batch(protocol::BatchOptions options) {
  protocol::BatchBuilder builder(options);
  builder.append(1'750'000'000'000, std::nullopt, Bytes(300 * 1024, std::byte{'v'}));
  builder.append(1'750'000'000'000, std::nullopt, as_bytes("second"));
  return builder.finish();
}

struct StartedAppend {
  Bytes batch;
  std::optional<log_result<AppendInfo>> answer;
};

runtime::task<void> run(Log& log, StartedAppend& append) {
  LeaderAppend wanted;
  wanted.records = append.batch;
  wanted.leader_epoch = LeaderEpoch(0);
  append.answer = co_await log.append_as_leader(wanted);
}

class OffShard : public testing::Test {
 protected:
  OffShard() {
    world_.open();
    world_.environment.holds_off_shard_work = true;
  }
  ~OffShard() override { finish(); }
  void start(Log& log, StartedAppend& append) { scope_.spawn(run(log, append)); }
  void finish() {
    world_.environment.finish_off_shard_work();
    now(joined());
  }
  runtime::task<int> joined() {
    co_await scope_.join();
    co_return 0;
  }

  LogWorld world_;
  runtime::Scope scope_;
};

TEST_F(OffShard, AnotherPartitionGoesOnAndTheSameOneWaits) {
  LogOptions other_options = world_.options();
  other_options.directory = "/data/t-1";
  other_options.partition = 1;
  auto other = now(Log::open(other_options));
  ASSERT_TRUE(other);

  for (const auto codec : {protocol::Codec::gzip, protocol::Codec::snappy, protocol::Codec::lz4, protocol::Codec::zstd}) {
    world_.environment.holds_off_shard_work = true;
    const Offset end = world_.log->log_end_offset();
    StartedAppend large{.batch = large_batch({.codec = codec}), .answer = std::nullopt};
    StartedAppend behind{.batch = batch_of(1), .answer = std::nullopt};
    StartedAppend elsewhere{.batch = batch_of(1), .answer = std::nullopt};
    start(*world_.log, large);
    start(*world_.log, behind);
    start(**other, elsewhere);
    EXPECT_TRUE(elsewhere.answer) << "another partition waited for the check";
    EXPECT_FALSE(large.answer) << "the large batch was checked on the shard";
    EXPECT_FALSE(behind.answer);
    EXPECT_EQ(world_.log->log_end_offset(), end);

    finish();
    ASSERT_TRUE(large.answer && *large.answer) << (*large.answer).error().message;
    ASSERT_TRUE(behind.answer && *behind.answer);
    EXPECT_EQ((*large.answer)->first_offset, end);
    EXPECT_EQ((*behind.answer)->first_offset, end + 2);
  }
  EXPECT_EQ(world_.environment.off_shard_works, 4);
  now((*other)->abandon());
}

TEST_F(OffShard, SequencesOfAProducerStayInOrder) {
  const auto options = [](int32_t sequence, protocol::Codec codec) {
    return protocol::BatchOptions{.codec = codec,
                                  .producer_id = ProducerId(7),
                                  .producer_epoch = ProducerEpoch(0),
                                  .base_sequence = sequence};
  };
  StartedAppend first{.batch = large_batch(options(0, protocol::Codec::zstd)), .answer = std::nullopt};
  StartedAppend second{.batch = batch_of(1, 1'750'000'000'000, options(2, protocol::Codec::none)), .answer = std::nullopt};
  StartedAppend repeat{.batch = large_batch(options(0, protocol::Codec::zstd)), .answer = std::nullopt};
  start(*world_.log, first);
  start(*world_.log, second);
  start(*world_.log, repeat);
  finish();
  ASSERT_TRUE(*first.answer) << (*first.answer).error().message;
  ASSERT_TRUE(*second.answer) << (*second.answer).error().message;
  ASSERT_TRUE(*repeat.answer) << (*repeat.answer).error().message;
  EXPECT_EQ((*second.answer)->first_offset, Offset(2));
  EXPECT_TRUE((*repeat.answer)->is_duplicate);
  EXPECT_EQ((*repeat.answer)->first_offset, Offset(0));
  EXPECT_EQ(world_.log->log_end_offset(), Offset(3));
}

TEST_F(OffShard, SmallBatchesAndLargePlainOnesStay) {
  StartedAppend small{.batch = batch_of(10, 1'750'000'000'000, {.codec = protocol::Codec::gzip}), .answer = std::nullopt};
  StartedAppend plain{.batch = large_batch({}), .answer = std::nullopt};
  start(*world_.log, small);
  start(*world_.log, plain);
  EXPECT_TRUE(small.answer && plain.answer);
  EXPECT_EQ(world_.environment.off_shard_works, 0);
}

TEST_F(OffShard, ALargeBatchForAnotherCodecIsWrittenAgainElsewhere) {
  LogConfig config = world_.config;
  config.compression = TargetCompression::zstd;
  world_.log->update_config(config);
  StartedAppend plain{.batch = large_batch({}), .answer = std::nullopt};
  start(*world_.log, plain);
  EXPECT_FALSE(plain.answer);
  // What the topic's settings become meanwhile is for the next batch.
  config.compression = TargetCompression::producer;
  config.timestamp_type = TimestampType::log_append_time;
  world_.log->update_config(config);
  finish();
  ASSERT_TRUE(*plain.answer) << (*plain.answer).error().message;
  EXPECT_EQ((*plain.answer)->log_append_time_ms, -1);
  const auto read = now(world_.log->read(Offset(0), 1 << 20, true, ReadIsolation::log_end));
  ASSERT_TRUE(read);
  const auto header = protocol::read_batch_header(bytes_of(*read));
  EXPECT_EQ(header.codec(), protocol::Codec::zstd);
  EXPECT_EQ(header.timestamp_type(), protocol::TimestampType::create_time);
  EXPECT_EQ(header.count, 2);
}

TEST_F(OffShard, ARefusedLargeBatchLeavesTheLogAsItWas) {
  Bytes broken = large_batch({.codec = protocol::Codec::gzip});
  broken.back() ^= std::byte{1};
  const uint32_t crc = protocol::batch_crc(broken);
  protocol::RecordBatchHeader header = protocol::read_batch_header(broken);
  header.crc = crc;
  protocol::write_batch_header(broken, header);
  StartedAppend refused{.batch = std::move(broken), .answer = std::nullopt};
  StartedAppend behind{.batch = batch_of(1), .answer = std::nullopt};
  start(*world_.log, refused);
  start(*world_.log, behind);
  finish();
  ASSERT_FALSE(*refused.answer);
  EXPECT_EQ((*refused.answer).error().code, protocol::ErrorCode::invalid_record);
  EXPECT_EQ((*behind.answer)->first_offset, Offset(0));
}

}  // namespace
}  // namespace moldau::storage::test
