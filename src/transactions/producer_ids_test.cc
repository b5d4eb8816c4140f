#include "transactions/producer_ids.h"

#include <gtest/gtest.h>

namespace moldau::transactions {
namespace {

using protocol::ErrorCode;

constexpr int16_t code(ErrorCode error) { return static_cast<int16_t>(error); }

protocol::AllocateProducerIdsResponse block(int64_t first, int32_t size) {
  protocol::AllocateProducerIdsResponse response;
  response.producer_id_start = first;
  response.producer_id_len = size;
  return response;
}

protocol::InitProducerIdRequest idempotent() {
  protocol::InitProducerIdRequest request;
  request.transactional_id.reset();
  request.producer_id = -1;
  request.producer_epoch = -1;
  return request;
}

TEST(ProducerIds, are_given_one_by_one_over_the_blocks) {
  ProducerIds ids;
  EXPECT_FALSE(ids.take());
  EXPECT_TRUE(ids.should_request_block(0));
  EXPECT_FALSE(ids.should_request_block(0));  // one request at a time
  ids.on_block(block(1'000, 10), 0);
  for (int64_t i = 0; i < 9; ++i) {
    EXPECT_EQ(ids.take()->value(), 1'000 + i);
    EXPECT_EQ(ids.should_request_block(0), i == 8);  // nine tenths are gone
  }
  ids.on_block(block(5'000, 10), 0);  // another broker had those between
  EXPECT_EQ(ids.take()->value(), 1'009);
  EXPECT_EQ(ids.take()->value(), 5'000);
}

TEST(ProducerIds, wait_a_moment_after_a_refusal_but_not_after_silence) {
  ProducerIds ids;
  EXPECT_TRUE(ids.should_request_block(100));
  ids.on_block({.error_code = code(ErrorCode::stale_broker_epoch)}, 100);
  EXPECT_FALSE(ids.should_request_block(149));
  EXPECT_TRUE(ids.should_request_block(150));
  ids.on_block_timed_out();
  EXPECT_TRUE(ids.should_request_block(150));
}

TEST(ProducerIds, of_a_block_that_is_no_good_are_never_given) {
  ProducerIds ids;
  for (const auto& bad : {block(-1, 10), block(0, 0), block(0, -5), block(INT64_MAX - 4, 10)}) {
    ids.on_block(bad, 0);
    EXPECT_FALSE(ids.take());
  }
  ids.on_block(block(100, 1), 0);
  EXPECT_EQ(ids.take()->value(), 100);
  ids.on_block(block(100, 1), 0);  // given before
  EXPECT_FALSE(ids.take());
}

TEST(InitProducerId, answers_as_kafka_does) {
  ProducerIds ids;
  EXPECT_EQ(init_producer_id(idempotent(), ids).error_code, code(ErrorCode::coordinator_load_in_progress));
  ids.on_block(block(7, 10), 0);
  const auto answer = init_producer_id(idempotent(), ids);
  EXPECT_EQ(answer.error_code, 0);
  EXPECT_EQ(answer.producer_id, 7);
  EXPECT_EQ(answer.producer_epoch, 0);
  auto request = idempotent();
  request.transactional_id = "";
  EXPECT_EQ(init_producer_id(request, ids).error_code, code(ErrorCode::invalid_request));
  EXPECT_EQ(init_producer_id(request, ids).producer_id, -1);
  request = idempotent();
  request.producer_epoch = 3;
  EXPECT_EQ(init_producer_id(request, ids).error_code, code(ErrorCode::invalid_request));
  request = idempotent();
  request.transactional_id = "tx";
  EXPECT_EQ(init_producer_id(request, ids).error_code, code(ErrorCode::unsupported_version));
  request = idempotent();
  request.transaction_timeout_ms = -1;  // librdkafka: without transactions the timeout means nothing
  EXPECT_EQ(init_producer_id(request, ids).producer_id, 8);
}

}  // namespace
}  // namespace moldau::transactions
