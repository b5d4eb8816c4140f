#include "cli/partition_list.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace moldau::cli {

namespace {

constexpr int32_t partitions_max = 1'000'000;

std::optional<int32_t> parse_index(std::string_view text) {
  int32_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size() || index < 0 || index >= partitions_max)
    return std::nullopt;
  return index;
}

}  // namespace

std::optional<PartitionList> parse_partition_list(std::string_view text) {
  const size_t colon = text.find(':');
  PartitionList list{.topic = std::string(text.substr(0, colon)), .partitions = {}};
  if (list.topic.empty()) return std::nullopt;
  if (colon == std::string_view::npos) return list;
  std::string_view rest = text.substr(colon + 1);
  if (rest.empty()) return std::nullopt;
  while (true) {
    const size_t comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    const size_t dash = one.find('-');
    const auto first = parse_index(one.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_index(one.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    for (int32_t index = *first; index <= *last; ++index) list.partitions.push_back(index);
    if (list.partitions.size() > static_cast<size_t>(partitions_max)) return std::nullopt;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  std::ranges::sort(list.partitions);
  const auto repeated = std::ranges::unique(list.partitions);
  list.partitions.erase(repeated.begin(), repeated.end());
  return list;
}

}  // namespace moldau::cli
