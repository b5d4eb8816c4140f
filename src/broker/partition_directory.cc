#include "broker/partition_directory.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace moldau::broker {

static constexpr size_t max_name_bytes = 255;

std::string partition_directory(std::string_view topic, int32_t partition) { return fmt::format("{}-{}", topic, partition); }

std::optional<PartitionName> parse_partition_directory(std::string_view name) {
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::string_view digits = name.substr(dash + 1);
  int32_t partition = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), partition);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || partition < 0) return std::nullopt;
  return PartitionName{std::string(name.substr(0, dash)), partition};
}

std::string set_aside_directory(std::string_view topic, int32_t partition, std::string_view id, std::string_view suffix) {
  const std::string tail = fmt::format("-{}.{}-{}", partition, id, suffix);
  return std::string(topic.substr(0, std::min(topic.size(), max_name_bytes - tail.size()))) + tail;
}

}  // namespace moldau::broker
