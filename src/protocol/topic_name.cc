#include "protocol/topic_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace moldau::protocol {

namespace {

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

// Java counts a string in UTF-16 units: two for a character of four bytes in UTF-8.
size_t java_length(std::string_view utf8) {
  size_t length = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0xf0) {
      length += 2;
    } else if (byte < 0x80 || byte >= 0xc0) {
      length += 1;
    }
  }
  return length;
}

}  // namespace

std::optional<std::string> invalid_topic_name(std::string_view name) {
  constexpr std::string_view begin = "Topic name is invalid: ";
  if (name.empty()) return fmt::format("{}the empty string is not allowed", begin);
  if (name == "." || name == "..") return fmt::format("{}'{}' is not allowed", begin, name);
  if (java_length(name) > topic_name_max_length)
    return fmt::format("{}the length of '{}' is longer than the max allowed length {}", begin, name,
                       topic_name_max_length);
  if (!std::ranges::all_of(name, is_allowed))
    return fmt::format(
        "{}'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'", begin,
        name);
  return std::nullopt;
}

bool has_collision_characters(std::string_view name) {
  return name.find_first_of("._") != std::string_view::npos;
}

bool do_topic_names_collide(std::string_view a, std::string_view b) {
  const auto unified = [](char c) { return c == '.' ? '_' : c; };
  return std::ranges::equal(a, b, {}, unified, unified);
}

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

}  // namespace moldau::protocol
