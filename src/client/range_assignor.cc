#include "client/range_assignor.h"

#include <algorithm>
#include <tuple>

namespace moldau::client {

std::map<std::string, std::vector<TopicPartition>> assign_ranges(std::vector<Subscriber> subscribers,
                                                                 const std::map<std::string, int32_t>& partition_counts) {
  std::ranges::sort(subscribers, {}, [](const Subscriber& one) {
    return std::tuple(!one.instance_id, one.instance_id.value_or(""), one.member_id);
  });
  std::map<std::string, std::vector<TopicPartition>> assignment;
  for (const Subscriber& one : subscribers) assignment[one.member_id];
  for (const auto& [topic, partitions] : partition_counts) {
    std::vector<const Subscriber*> takers;
    for (const Subscriber& one : subscribers)
      if (std::ranges::find(one.topics, topic) != one.topics.end()) takers.push_back(&one);
    int32_t next = 0;
    const auto count = static_cast<int32_t>(takers.size());
    for (int32_t i = 0; i < count; ++i) {
      const int32_t end = next + partitions / count + (i < partitions % count ? 1 : 0);
      for (; next < end; ++next) assignment[takers[static_cast<size_t>(i)]->member_id].push_back({topic, next});
    }
  }
  return assignment;
}

}  // namespace moldau::client
