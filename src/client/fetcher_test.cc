#include "client/fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/batch_builder.h"

namespace moldau::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TopicPartition partition{"t", 0};

Bytes batch(protocol::BatchOptions options, std::vector<std::string> values) {
  protocol::BatchBuilder builder(options);
  for (const std::string& value : values) builder.append(1000, std::nullopt, as_bytes(value));
  return builder.finish();
}
Bytes marker(int64_t offset, int64_t producer, bool commits) {
  protocol::BatchBuilder builder({.base_offset = Offset(offset),
                                  .producer_id = ProducerId(producer),
                                  .producer_epoch = ProducerEpoch(0),
                                  .is_transactional = true,
                                  .is_control = true});
  builder.append(1000, from_hex(commits ? "00000001" : "00000000"), from_hex("000000000000"));
  return builder.finish();
}
protocol::BatchOptions transactional(int64_t offset, int64_t producer) {
  return {.base_offset = Offset(offset),
          .producer_id = ProducerId(producer),
          .producer_epoch = ProducerEpoch(0),
          .base_sequence = 0,
          .is_transactional = true};
}

struct Answer {
  Bytes bytes;
  protocol::FetchResponse::PartitionData data;
  Answer& add(const Bytes& one) {
    bytes.insert(bytes.end(), one.begin(), one.end());
    return *this;
  }
  Answer& aborted(int64_t producer, int64_t first_offset) {
    auto& one = data.aborted_transactions ? data.aborted_transactions->emplace_back()
                                          : data.aborted_transactions.emplace().emplace_back();
    one.producer_id = producer;
    one.first_offset = first_offset;
    return *this;
  }
  FetchedPartition read(int64_t offset, Isolation isolation = Isolation::read_uncommitted) {
    data.records = protocol::Records(bytes);
    return read_fetched(data, partition, offset, isolation);
  }
};

std::vector<std::string> values_of(const FetchedPartition& fetched) {
  std::vector<std::string> values;
  for (const auto& record : fetched.records) values.emplace_back(as_text(*record.value));
  return values;
}

TEST(FetchedRecords, BeginAtTheOffsetAskedForWithinABatch) {
  for (auto codec : {protocol::Codec::none, protocol::Codec::gzip, protocol::Codec::snappy,
                     protocol::Codec::lz4, protocol::Codec::zstd}) {
    Answer answer;
    answer.add(batch({.codec = codec, .base_offset = Offset(10)}, {"a", "b", "c"}))
        .add(batch({.base_offset = Offset(13)}, {"d"}));
    const auto fetched = answer.read(11);
    EXPECT_FALSE(fetched.error);
    EXPECT_THAT(values_of(fetched), ElementsAre("b", "c", "d"));
    EXPECT_EQ(fetched.records.front().offset, 11);
    EXPECT_EQ(fetched.next_offset, 14);
  }
}

TEST(FetchedRecords, LeaveOutAbortedTransactionsOnlyWhenReadCommitted) {
  Answer answer;
  answer.add(batch(transactional(0, 7), {"void"}))
      .add(batch(transactional(1, 8), {"kept"}))
      .add(marker(2, 7, false))
      .add(batch(transactional(3, 7), {"second transaction of the same producer"}))
      .add(marker(4, 8, true))
      .add(marker(5, 7, true))
      .add(batch({.base_offset = Offset(6)}, {"plain"}))
      .aborted(7, 0);
  const auto committed = answer.read(0, Isolation::read_committed);
  EXPECT_THAT(values_of(committed), ElementsAre("kept", "second transaction of the same producer", "plain"));
  EXPECT_EQ(committed.next_offset, 7);
  EXPECT_EQ(values_of(answer.read(0)).size(), 4U);
}

TEST(FetchedRecords, ControlRecordsMoveThePositionAndAreNotGiven) {
  Answer answer;
  answer.add(marker(4, 7, true));
  const auto fetched = answer.read(4);
  EXPECT_THAT(fetched.records, IsEmpty());
  EXPECT_EQ(fetched.next_offset, 5);
}

TEST(FetchedRecords, StopAtDamageAndKeepWhatCameBefore) {
  Answer answer;
  answer.add(batch({.base_offset = Offset(0)}, {"good"}));
  Bytes bad = batch({.base_offset = Offset(1)}, {"bad"});
  bad.back() ^= std::byte{1};
  answer.add(bad);
  const auto fetched = answer.read(0);
  EXPECT_THAT(values_of(fetched), ElementsAre("good"));
  ASSERT_TRUE(fetched.error);
  EXPECT_EQ(fetched.error->code, protocol::ErrorCode::corrupt_message);
  EXPECT_EQ(fetched.next_offset, 1);
}

TEST(FetchedRecords, ACutOffLastBatchIsLeftForTheNextFetch) {
  Answer answer;
  answer.add(batch({.base_offset = Offset(0)}, {"whole"})).add(batch({.base_offset = Offset(1)}, {"cut"}));
  answer.bytes.resize(answer.bytes.size() - 1);
  const auto fetched = answer.read(0);
  EXPECT_FALSE(fetched.error);
  EXPECT_EQ(fetched.next_offset, 1);
}

}  // namespace
}  // namespace moldau::client
