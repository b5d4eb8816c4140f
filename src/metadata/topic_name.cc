#include "metadata/topic_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace moldau::metadata {

std::optional<std::string> topic_name_problem(std::string_view name) {
  const auto is_legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.empty()) return "Topic name is invalid: the empty string is not allowed";
  if (name == "." || name == "..") return fmt::format("Topic name is invalid: '{}' is not allowed", name);
  if (name.size() > topic_name_max_length)
    return fmt::format("Topic name is invalid: it is longer than the {} characters that are allowed",
                       topic_name_max_length);
  if (!std::ranges::all_of(name, is_legal))
    return fmt::format(
        "Topic name is invalid: '{}' has characters other than ASCII letters, digits, '.', '_' and '-'",
        name);
  return std::nullopt;
}

}  // namespace moldau::metadata
