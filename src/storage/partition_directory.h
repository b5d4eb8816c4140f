// The names of partition directories: TOPIC-PARTITION, and what one is called while it waits for its deletion, is not
// this node's any more, or is being moved here. Pure functions on text. Kafka: LocalLog.parseTopicPartitionName.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moldau::storage {

enum class PartitionDirectoryKind : uint8_t { live, deleted, stray, future };

struct PartitionDirectory {
  std::string topic;  // perhaps cut, if `kind` is deleted or stray
  int32_t partition = 0;
  PartitionDirectoryKind kind = PartitionDirectoryKind::live;
  friend bool operator==(const PartitionDirectory&, const PartitionDirectory&) = default;
};

[[nodiscard]] std::string partition_directory_name(std::string_view topic, int32_t partition);
// TOPIC-PARTITION.UNIQUE-delete, -stray or -future; `unique` is 32 hexadecimal digits. The topic is cut so that the name
// has at most 255 characters, but not for -future, as Kafka does.
[[nodiscard]] std::string partition_directory_name(std::string_view topic, int32_t partition, PartitionDirectoryKind kind,
                                                   std::string_view unique);
// Null for what is no partition's directory.
[[nodiscard]] std::optional<PartitionDirectory> parse_partition_directory(std::string_view name);

}  // namespace moldau::storage
