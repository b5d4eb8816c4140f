// Kafka's Uuid: 128 bits, written as 22 characters of URL-safe base64 without padding. Order is Kafka's: both halves
// compare as signed numbers.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace moldau {

struct Uuid {
  int64_t most_significant = 0;
  int64_t least_significant = 0;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
  [[nodiscard]] constexpr bool is_zero() const { return most_significant == 0 && least_significant == 0; }
  // Ids that stand for a state of a directory: below 100, by a signed comparison as in Kafka.
  [[nodiscard]] constexpr bool is_reserved_directory() const {
    return most_significant == 0 && least_significant < 100;
  }
  [[nodiscard]] std::string to_string() const;
  // Null for anything but 22 base64url characters (with up to two `=` after them); spare low bits are ignored.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
};

inline constexpr Uuid zero_uuid{};
inline constexpr Uuid metadata_topic_id{0, 1};

}  // namespace moldau

template <>
struct std::hash<moldau::Uuid> {
  std::size_t operator()(const moldau::Uuid& id) const {
    return static_cast<std::size_t>(id.most_significant * 31 ^ id.least_significant);
  }
};

template <>
struct fmt::formatter<moldau::Uuid> : fmt::formatter<std::string> {
  auto format(const moldau::Uuid& id, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(id.to_string(), context);
  }
};
