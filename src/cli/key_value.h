// "name=value" as options take it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace moldau::cli {

// Null without a '=' or without a name before it; the value may be empty and hold '='.
[[nodiscard]] inline std::optional<std::pair<std::string, std::string>> parse_key_value(
    std::string_view text) {
  const size_t at = text.find('=');
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  return std::pair(std::string(text.substr(0, at)), std::string(text.substr(at + 1)));
}

}  // namespace moldau::cli
