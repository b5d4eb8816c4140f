#include "groups/coordinator_placement.h"

#include <gtest/gtest.h>

#include "groups/java_text.h"

namespace moldau::groups {
namespace {

using protocol::ErrorCode;

TEST(JavaText, hashes_as_java_does) {
  EXPECT_EQ(java_hash(""), 0);
  EXPECT_EQ(java_hash("group"), 98629247);
  EXPECT_EQ(java_length("\xF0\x9F\x8C\x8A"), 2);  // one character beyond the first 65,536: two units
  EXPECT_EQ(java_length("\xC3\xA9"), 1);
}

// Hash and partition of fifty, as Apache Kafka gives them.
struct Known {
  std::string_view id;
  int32_t hash;
  int32_t partition;
};
constexpr Known known[] = {
    {"\305\275lu\305\245ou\304\215k\303\275 k\305\257\305\210", 217635678, 28},
    {"\346\227\245\346\234\254\350\252\236", 25921943, 43},
    {"\360\237\214\212\360\237\216\267", 1705755081, 31},
    {"\316\225\316\273\316\273\316\254\316\264\316\261-11p7-418732", -1016465592, 42},
    {"\177\302\200\337\277\340\240\200\357\277\277-1sv6-390608", -742929233, 33},
    {"\305\275lu\305\245ou\304\215k\303\275 k\305\257\305\210-960563", 1659205998, 48},
    {"", 0, 0},
    {"a", 97, 47},
    {"group", 98629247, 47},
    {"my-group", -1906497762, 12},
    {"console-consumer-12345", 158455506, 6},
    {"connect-cluster", 1440343063, 13},
    {"polygenelubricants", -2147483648, 0},
    {"my-transactional-id", -959806496, 46},
    {"payments.eu-1-1oo-696077", -354412495, 45},
};

TEST(CoordinatorPartition, agrees_with_kafka) {
  for (const Known& one : known) {
    EXPECT_EQ(java_hash(one.id), one.hash) << one.id;
    EXPECT_EQ(coordinator_partition(one.id, 50), one.partition) << one.id;
  }
}

TEST(CoordinatorPartition, is_the_hash_without_its_sign) {
  EXPECT_EQ(coordinator_partition("group", 50), 47);
  EXPECT_EQ(coordinator_partition("", 50), 0);
  // Java's text with the hash -2^31, which has no positive counterpart.
  EXPECT_EQ(java_hash("polygenelubricants"), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(coordinator_partition("polygenelubricants", 50), 0);
}

CoordinatorPlace here(CoordinatorKeyType, const std::string&) {
  return {.node_id = 1, .host = "127.0.0.1", .port = 9092};
}

TEST(FindCoordinator, answers_one_key_up_to_version_3) {
  protocol::FindCoordinatorRequest request;
  request.key = "group";
  const auto response = find_coordinator(request, 3, here);
  EXPECT_EQ(response.error_code, 0);
  EXPECT_EQ(response.error_message, "NONE");
  EXPECT_EQ(response.node_id, 1);
  EXPECT_EQ(response.port, 9092);
  EXPECT_TRUE(response.coordinators.empty());
}

TEST(FindCoordinator, answers_many_keys_from_version_4_on) {
  protocol::FindCoordinatorRequest request;
  request.coordinator_keys = {"group", ""};
  const auto response = find_coordinator(request, 4, here);
  ASSERT_EQ(response.coordinators.size(), 2u);
  EXPECT_EQ(response.coordinators[0].key, "group");
  EXPECT_EQ(response.coordinators[0].error_message, "");
  EXPECT_EQ(response.coordinators[1].host, "127.0.0.1");
}

TEST(FindCoordinator, refuses_unknown_types_and_share_keys_of_old_versions) {
  protocol::FindCoordinatorRequest request;
  request.coordinator_keys = {"g:AAAAAAAAAAAAAAAAAAAAAA:0"};
  request.key_type = 2;
  EXPECT_EQ(find_coordinator(request, 5, here).coordinators[0].error_code, 42);
  EXPECT_EQ(find_coordinator(request, 6, here).coordinators[0].error_code, 0);
  request.key_type = 3;
  EXPECT_EQ(find_coordinator(request, 6, here).coordinators[0].error_code, 42);
  EXPECT_EQ(find_coordinator(request, 6, here).coordinators[0].node_id, -1);
}

TEST(FindCoordinator, says_that_there_is_no_transaction_coordinator) {
  protocol::FindCoordinatorRequest request;
  request.coordinator_keys = {"tx"};
  request.key_type = 1;
  const auto response =
      find_coordinator(request, 6, [](CoordinatorKeyType, const std::string&) { return no_transaction_coordinator(); });
  EXPECT_EQ(response.coordinators[0].error_code, static_cast<int16_t>(ErrorCode::unsupported_version));
  EXPECT_FALSE(response.coordinators[0].error_message->empty());
}

}  // namespace
}  // namespace moldau::groups
