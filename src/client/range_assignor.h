// Range: the assignor that Kafka's consumers use first, as the leader of a classic group carries it out.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/offsets.h"

namespace moldau::client {

struct Subscriber {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::vector<std::string> topics;
};

// Topic by topic, the partitions in order are cut into as many pieces as the topic has subscribers, the first pieces the
// larger ones. Static members come first, by instance id, then the others by member id. `partition_counts` names the
// topics that exist. Every member has an entry in the answer.
[[nodiscard]] std::map<std::string, std::vector<TopicPartition>> assign_ranges(
    std::vector<Subscriber> subscribers, const std::map<std::string, int32_t>& partition_counts);

}  // namespace moldau::client
