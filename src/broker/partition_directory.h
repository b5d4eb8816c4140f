// Names of partitions' directories below log.dirs, as Kafka makes and reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moldau::broker {

struct PartitionName {
  std::string topic;
  int32_t partition = 0;
  friend bool operator==(const PartitionName&, const PartitionName&) = default;
};

// TOPIC-PARTITION
[[nodiscard]] std::string partition_directory(std::string_view topic, int32_t partition);
// Null for anything else; the topic ends at the last dash.
[[nodiscard]] std::optional<PartitionName> parse_partition_directory(std::string_view name);

// TOPIC-PARTITION.ID-SUFFIX with the topic cut so that the name has at most 255 bytes. `id` is 32 hexadecimal digits,
// `suffix` "delete" or "stray".
[[nodiscard]] std::string set_aside_directory(std::string_view topic, int32_t partition, std::string_view id, std::string_view suffix);

}  // namespace moldau::broker
