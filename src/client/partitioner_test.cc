#include "client/partitioner.h"

#include <gtest/gtest.h>

namespace moldau::client {
namespace {

// Values that Apache Kafka's Java client computed.
TEST(Partitioner, HashesAsTheJavaClientDoes) {
  EXPECT_EQ(murmur2(as_bytes("")), 275646681);
  EXPECT_EQ(murmur2(from_hex("d1")), -1165394920);
  EXPECT_EQ(murmur2(from_hex("ff")), -311467685);
  EXPECT_EQ(murmur2(from_hex("ce2b")), 478209686);
  EXPECT_EQ(partition_of_key(from_hex("d1"), 50), 28);
  EXPECT_EQ(partition_of_key(from_hex("d1"), 1000), 728);
}

}  // namespace
}  // namespace moldau::client
