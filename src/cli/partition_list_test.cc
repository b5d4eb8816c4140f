#include "cli/partition_list.h"

#include <gtest/gtest.h>

namespace moldau::cli {
namespace {

TEST(PartitionList, ReadsATopicAndItsPartitions) {
  EXPECT_EQ(parse_partition_list("orders")->topic, "orders");
  EXPECT_TRUE(parse_partition_list("orders")->partitions.empty());
  EXPECT_EQ(parse_partition_list("orders:3")->partitions, (std::vector<int32_t>{3}));
  EXPECT_EQ(parse_partition_list("orders:5-7,0,6")->partitions, (std::vector<int32_t>{0, 5, 6, 7}));
}

TEST(PartitionList, RefusesWhatIsNone) {
  for (const char* wrong :
       {"", ":1", "t:", "t:a", "t:1,", "t:-1", "t:3-1", "t:1-", "t:99999999999", "t:0-999999999"})
    EXPECT_FALSE(parse_partition_list(wrong)) << wrong;
}

}  // namespace
}  // namespace moldau::cli
