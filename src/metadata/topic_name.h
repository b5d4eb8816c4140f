// Which names a topic may have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moldau::metadata {

inline constexpr std::size_t topic_name_max_length = 249;

// Why this cannot be a topic's name, a sentence; null if it can: 1 to 249 of a-z A-Z 0-9 . _ -, and not . or
// .. alone.
[[nodiscard]] std::optional<std::string> topic_name_problem(std::string_view name);

}  // namespace moldau::metadata
