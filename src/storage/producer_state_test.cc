#include "storage/producer_state.h"

#include <gtest/gtest.h>

#include "storage/producer_snapshot.h"

namespace moldau::storage {
namespace {

constexpr ProducerId pid{7};

log_result<> add(ProducerState& state, int16_t epoch, int32_t first, int32_t count, Offset at, bool transactional = false) {
  ProducerAppend append = state.prepare(pid, AppendOrigin::client);
  MOLDAU_CHECK(append.append_data(ProducerEpoch(epoch), first, sequence_plus(first, count - 1), 1000, at, at + (count - 1),
                                  transactional));
  state.apply(append);
  return {};
}

TEST(ProducerState, SequencesFollowAndWrap) {
  EXPECT_EQ(sequence_plus(INT32_MAX, 1), 0);
  EXPECT_EQ(sequence_minus(1, 3), INT32_MAX - 1);
  ProducerState state{ProducerStateConfig{}};
  ASSERT_TRUE(add(state, 0, INT32_MAX - 1, 2, Offset(0)));
  EXPECT_FALSE(add(state, 0, 1, 1, Offset(2)));
  ASSERT_TRUE(add(state, 0, 0, 1, Offset(2)));
  ASSERT_NE(state.find(pid)->find(ProducerEpoch(0), INT32_MAX - 1, INT32_MAX), nullptr);
}

TEST(ProducerState, RemembersFiveBatches) {
  ProducerState state{ProducerStateConfig{}};
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(add(state, 0, i, 1, Offset(i)));
  EXPECT_EQ(state.find(pid)->find(ProducerEpoch(0), 0, 0), nullptr);
  const ProducedBatch* oldest = state.find(pid)->find(ProducerEpoch(0), 1, 1);
  ASSERT_NE(oldest, nullptr);
  EXPECT_EQ(oldest->first_offset(), Offset(1));
}

TEST(ProducerState, ANewEpochBeginsAtZeroAndFencesTheOld) {
  ProducerState state{ProducerStateConfig{}};
  ASSERT_TRUE(add(state, 1, 4, 1, Offset(0)));
  EXPECT_EQ(add(state, 0, 5, 1, Offset(1)).error().code, protocol::ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(add(state, 2, 5, 1, Offset(1)).error().code, protocol::ErrorCode::out_of_order_sequence_number);
  EXPECT_TRUE(add(state, 2, 0, 1, Offset(1)));
}

TEST(ProducerState, HoldsReadersBackUntilTheMarkerIsReplicated) {
  ProducerState state{ProducerStateConfig{}};
  ASSERT_TRUE(add(state, 0, 0, 2, Offset(5), true));
  EXPECT_EQ(state.first_unstable_offset(), Offset(5));
  ProducerAppend append = state.prepare(pid, AppendOrigin::coordinator);
  const auto completed = append.append_marker({true, 3}, ProducerEpoch(0), Offset(7), 1000, 0);
  ASSERT_TRUE(completed && *completed);
  state.apply(append);
  state.complete(**completed);
  EXPECT_EQ(state.first_unstable_offset(), Offset(5));
  state.high_watermark_moved(Offset(7));
  EXPECT_EQ(state.first_unstable_offset(), Offset(5));
  state.high_watermark_moved(Offset(8));
  EXPECT_EQ(state.first_unstable_offset(), std::nullopt);
}

TEST(ProducerState, ExpiresTheIdleButNotTheOpen) {
  ProducerState state{ProducerStateConfig{.producer_id_expiration_ms = 100}};
  ASSERT_TRUE(add(state, 0, 0, 1, Offset(0)));
  state.expire(1099);
  EXPECT_EQ(state.producer_count(), 1U);
  state.expire(1100);
  EXPECT_EQ(state.producer_count(), 0U);
  ASSERT_TRUE(add(state, 0, 0, 1, Offset(0), true));
  state.expire(99999);
  EXPECT_EQ(state.producer_count(), 1U);
}

TEST(ProducerSnapshot, SurvivesARoundTripAndNoBrokenBit) {
  ProducerState state{ProducerStateConfig{}};
  ASSERT_TRUE(add(state, 3, 0, 2, Offset(5), true));
  const Bytes file = encode_snapshot(state);
  EXPECT_EQ(file.size(), 56U);
  const auto read = decode_snapshot(file);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().id, pid);
  EXPECT_EQ(read->front().entry.transaction_first_offset, Offset(5));
  EXPECT_EQ(read->front().entry.last_sequence(), 1);
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes broken = file;
    broken[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode_snapshot(broken)) << bit;
  }
  Bytes longer = file;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_snapshot(longer));
}

}  // namespace
}  // namespace moldau::storage
