#include "metadata/topic_name.h"

#include <algorithm>

#include <fmt/format.h>

namespace moldau::metadata {

namespace {

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::optional<std::string> topic_name_problem(std::string_view name) {
  if (name.empty()) return "Topic name is invalid: the empty string is not allowed";
  if (name == "." || name == "..") return fmt::format("Topic name is invalid: '{}' is not allowed", name);
  if (name.size() > topic_name_max_length)
    return fmt::format("Topic name is invalid: the length of '{}' is longer than the max allowed length {}", name,
                       topic_name_max_length);
  if (!std::ranges::all_of(name, is_allowed))
    return fmt::format("Topic name is invalid: '{}' contains one or more characters other than ASCII alphanumerics, '.', "
                       "'_' and '-'",
                       name);
  return std::nullopt;
}

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

bool has_collision_characters(std::string_view name) { return name.find_first_of("._") != std::string_view::npos; }

std::string unified_topic_name(std::string_view name) {
  std::string unified(name);
  std::ranges::replace(unified, '.', '_');
  return unified;
}

std::optional<std::string> colliding_topic(const MetadataImage& image, std::string_view name) {
  if (!has_collision_characters(name)) return std::nullopt;
  const std::string unified = unified_topic_name(name);
  // Colliding names agree up to the first '.' or '_', so only that neighbourhood is looked at.
  const std::string_view common = name.substr(0, name.find_first_of("._"));
  for (auto at = image.topics_by_name.lower_bound(common);
       at != image.topics_by_name.end() && at->first.starts_with(common); ++at)
    if (at->first != name && at->first.size() == name.size() && unified_topic_name(at->first) == unified)
      return at->first;
  return std::nullopt;
}

}  // namespace moldau::metadata
