#include "broker/fetch_session.h"

#include <gtest/gtest.h>

namespace moldau::broker {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr int16_t by_name = 12;

FetchRequest fetch(int32_t session_id, int32_t epoch, std::vector<int32_t> partitions, std::vector<int32_t> forgotten = {}) {
  FetchRequest request;
  request.session_id = session_id;
  request.session_epoch = epoch;
  if (!partitions.empty()) {
    auto& topic = request.topics.emplace_back();
    topic.topic = "t";
    for (const int32_t partition : partitions) topic.partitions.emplace_back().partition = partition;
  }
  if (!forgotten.empty()) {
    auto& topic = request.forgotten_topics_data.emplace_back();
    topic.topic = "t";
    topic.partitions = forgotten;
  }
  return request;
}

std::vector<int32_t> partitions(const FetchContext& context) {
  std::vector<int32_t> numbers;
  for (const FetchItem* item : context.items) numbers.push_back(item->partition);
  return numbers;
}

TEST(FetchSessions, epoch_minus_one_makes_none) {
  FetchSessionCache cache(10, 1);
  const auto context = cache.open(fetch(0, -1, {0, 1}), by_name, 0);
  EXPECT_EQ(context.session_id, 0);
  EXPECT_EQ(partitions(context), (std::vector{0, 1}));
  EXPECT_EQ(cache.size(), 0U);
}

TEST(FetchSessions, an_incremental_fetch_means_what_was_asked_before) {
  FetchSessionCache cache(10, 1);
  const int32_t id = cache.open(fetch(0, 0, {0, 1, 2}), by_name, 0).session_id;
  ASSERT_NE(id, 0);
  EXPECT_EQ(partitions(cache.open(fetch(id, 1, {}), by_name, 1)), (std::vector{0, 1, 2}));
  EXPECT_EQ(partitions(cache.open(fetch(id, 2, {5}, {1}), by_name, 2)), (std::vector{0, 2, 5}));
  EXPECT_EQ(cache.open(fetch(id, 2, {}), by_name, 3).error, ErrorCode::invalid_fetch_session_epoch);
  EXPECT_EQ(cache.open(fetch(id + 1, 3, {}), by_name, 3).error, ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(cache.open(fetch(id, 3, {}), 13, 3).error, ErrorCode::fetch_session_topic_id_error);
}

TEST(FetchSessions, a_second_request_cannot_change_a_session_that_is_being_answered) {
  FetchSessionCache cache(10, 1);
  const auto parked = cache.open(fetch(0, 0, {0, 1}), by_name, 0);
  EXPECT_EQ(cache.open(fetch(parked.session_id, 1, {}, {0}), by_name, 1).error, ErrorCode::invalid_fetch_session_epoch);
  EXPECT_EQ(partitions(parked), (std::vector{0, 1}));
}

TEST(FetchSessions, an_incremental_answer_holds_only_what_changed) {
  FetchSessionCache cache(10, 1);
  FetchResponse::PartitionData answer;
  answer.high_watermark = 7;
  answer.log_start_offset = 0;
  int32_t id = 0;
  {
    auto first = cache.open(fetch(0, 0, {0, 1}), by_name, 0);
    id = first.session_id;
    for (FetchItem* item : first.items) EXPECT_TRUE(first.include(*item, answer, false)) << "a full answer holds all";
  }
  {
    auto second = cache.open(fetch(id, 1, {}), by_name, 1);
    const auto items = second.items;
    EXPECT_FALSE(second.include(*items[0], answer, false));
    answer.high_watermark = 8;
    EXPECT_TRUE(second.include(*items[1], answer, false));
  }
  {
    auto third = cache.open(fetch(id, 2, {}), by_name, 2);
    const auto items = third.items;
    answer.high_watermark = 7;
    EXPECT_TRUE(third.include(*items[0], answer, true)) << "records are always told";
  }
  EXPECT_EQ(partitions(cache.open(fetch(id, 3, {}), by_name, 3)), (std::vector{1, 0})) << "who got records goes last";
}

TEST(FetchSessions, an_error_is_told_again_when_it_has_passed) {
  FetchSessionCache cache(10, 1);
  FetchResponse::PartitionData answer;
  answer.high_watermark = 7;
  answer.error_code = static_cast<int16_t>(ErrorCode::not_leader_or_follower);
  int32_t id = 0;
  {
    auto first = cache.open(fetch(0, 0, {0}), by_name, 0);
    id = first.session_id;
    (void)first.include(*first.items[0], answer, false);
  }
  auto second = cache.open(fetch(id, 1, {}), by_name, 1);
  answer.error_code = 0;
  EXPECT_TRUE(second.include(*second.items[0], answer, false));
}

TEST(FetchSessions, a_full_cache_evicts_only_who_was_idle_for_two_minutes) {
  FetchSessionCache cache(1, 1);
  const int32_t first = cache.open(fetch(0, 0, {0}), by_name, 0).session_id;
  EXPECT_EQ(cache.open(fetch(0, 0, {0}), by_name, 1).session_id, 0);
  const int32_t later = cache.open(fetch(0, 0, {0}), by_name, 130'000'000).session_id;
  EXPECT_NE(later, 0);
  EXPECT_EQ(cache.open(fetch(first, 1, {}), by_name, 130'000'001).error, ErrorCode::fetch_session_id_not_found);
}

}  // namespace
}  // namespace moldau::broker
