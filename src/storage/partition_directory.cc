#include "storage/partition_directory.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/assert.h"

namespace moldau::storage {
namespace {

constexpr size_t name_max_bytes = 255;

std::string_view suffix_of(PartitionDirectoryKind kind) {
  switch (kind) {
    case PartitionDirectoryKind::live: return "";
    case PartitionDirectoryKind::deleted: return "-delete";
    case PartitionDirectoryKind::stray: return "-stray";
    case PartitionDirectoryKind::future: return "-future";
  }
  MOLDAU_UNREACHABLE("no such kind of directory");
}

}  // namespace

std::string partition_directory_name(std::string_view topic, int32_t partition) {
  return fmt::format("{}-{}", topic, partition);
}

std::string partition_directory_name(std::string_view topic, int32_t partition, PartitionDirectoryKind kind,
                                     std::string_view unique) {
  const std::string end = fmt::format("-{}.{}{}", partition, unique, suffix_of(kind));
  if (kind != PartitionDirectoryKind::future) topic = topic.substr(0, name_max_bytes - end.size());
  return std::string(topic) + end;
}

std::optional<PartitionDirectory> parse_partition_directory(std::string_view name) {
  PartitionDirectory parsed;
  for (const auto kind :
       {PartitionDirectoryKind::deleted, PartitionDirectoryKind::stray, PartitionDirectoryKind::future}) {
    if (!name.ends_with(suffix_of(kind))) continue;
    const size_t dot = name.rfind('.');
    const size_t unique_end = name.size() - suffix_of(kind).size();
    if (dot == std::string_view::npos || dot + 1 >= unique_end) return std::nullopt;
    parsed.kind = kind;
    name = name.substr(0, dot);
    break;
  }
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::string_view number = name.substr(dash + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), parsed.partition);
  if (error != std::errc{} || end != number.data() + number.size() || parsed.partition < 0) return std::nullopt;
  parsed.topic = name.substr(0, dash);
  return parsed;
}

}  // namespace moldau::storage
