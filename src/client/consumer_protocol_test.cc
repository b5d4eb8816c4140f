#include "client/consumer_protocol.h"

#include <gmock/gmock.h>

namespace moldau::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ConsumerProtocol, gives_back_what_was_put_in) {
  EXPECT_THAT(decode_subscription(encode_subscription({"s", "t"})), ElementsAre("s", "t"));
  const std::vector<TopicPartition> partitions = {{"s", 2}, {"t", 0}, {"t", 1}};
  EXPECT_EQ(decode_assignment(encode_assignment(partitions)), partitions);
}

TEST(ConsumerProtocol, reads_a_newer_version_as_its_own_newest) {
  Bytes newer = encode_subscription({"t"});
  newer[1] = std::byte{9};
  EXPECT_THAT(decode_subscription(newer), ElementsAre("t"));
}

TEST(ConsumerProtocol, finds_nothing_in_other_bytes) {
  EXPECT_THAT(decode_subscription({}), IsEmpty());
  EXPECT_THAT(decode_assignment(to_bytes("\xff\xff")), IsEmpty());
  EXPECT_THAT(decode_assignment(to_bytes("no assignment")), IsEmpty());
}

}  // namespace
}  // namespace moldau::client
