#include "client/range_assignor.h"

#include <gmock/gmock.h>

namespace moldau::client {
namespace {

using ::testing::IsEmpty;
using Partitions = std::vector<TopicPartition>;

Subscriber member(std::string id, std::vector<std::string> topics, std::optional<std::string> instance_id = {}) {
  return {.member_id = std::move(id), .instance_id = std::move(instance_id), .topics = std::move(topics)};
}

TEST(RangeAssignor, gives_the_first_members_the_larger_pieces) {
  const auto given = assign_ranges({member("b", {"t"}), member("c", {"t"}), member("a", {"t"})}, {{"t", 7}});
  EXPECT_EQ(given.at("a"), (Partitions{{"t", 0}, {"t", 1}, {"t", 2}}));
  EXPECT_EQ(given.at("b"), (Partitions{{"t", 3}, {"t", 4}}));
  EXPECT_EQ(given.at("c"), (Partitions{{"t", 5}, {"t", 6}}));
}

TEST(RangeAssignor, leaves_the_last_members_without_partitions_when_there_are_too_few) {
  const auto given = assign_ranges({member("a", {"t"}), member("b", {"t"})}, {{"t", 1}});
  EXPECT_EQ(given.at("a"), (Partitions{{"t", 0}}));
  EXPECT_THAT(given.at("b"), IsEmpty());
}

TEST(RangeAssignor, cuts_each_topic_for_its_own_subscribers) {
  const auto given = assign_ranges({member("a", {"s", "t"}), member("b", {"t", "gone"})}, {{"s", 2}, {"t", 2}});
  EXPECT_EQ(given.at("a"), (Partitions{{"s", 0}, {"s", 1}, {"t", 0}}));
  EXPECT_EQ(given.at("b"), (Partitions{{"t", 1}}));
}

TEST(RangeAssignor, puts_static_members_first_so_that_a_new_member_id_changes_nothing) {
  const auto given = assign_ranges({member("a", {"t"}), member("z", {"t"}, "one")}, {{"t", 3}});
  EXPECT_EQ(given.at("z"), (Partitions{{"t", 0}, {"t", 1}}));
  EXPECT_EQ(given.at("a"), (Partitions{{"t", 2}}));
}

}  // namespace
}  // namespace moldau::client
