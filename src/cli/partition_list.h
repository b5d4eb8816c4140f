// "orders" or "orders:0,2,5-7": a topic and which of its partitions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moldau::cli {

struct PartitionList {
  std::string topic;
  std::vector<int32_t> partitions;  // sorted, each once; empty: all
};

// Null for anything else, and for more than a million partitions.
[[nodiscard]] std::optional<PartitionList> parse_partition_list(std::string_view text);

}  // namespace moldau::cli
