// A number with a name of its own: an offset is not an epoch is not a producer id.
//
// Construction and value() are explicit, comparison is within one type only. `count` types (offsets) also take and give
// plain differences.
#pragma once

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstddef>
#include <functional>

#include <fmt/core.h>

namespace moldau {

template <class Number, class Tag>
class NamedNumber {
 public:
  using value_type = Number;
  constexpr NamedNumber() = default;
  constexpr explicit NamedNumber(Number value) : value_(value) {}
  [[nodiscard]] constexpr Number value() const { return value_; }
  friend constexpr auto operator<=>(NamedNumber, NamedNumber) = default;

  // The distance between two and a step from one: only meaningful where the numbers count something.
  friend constexpr Number operator-(NamedNumber a, NamedNumber b) { return a.value_ - b.value_; }
  friend constexpr NamedNumber operator+(NamedNumber a, Number n) { return NamedNumber(static_cast<Number>(a.value_ + n)); }
  friend constexpr NamedNumber operator-(NamedNumber a, Number n) { return NamedNumber(static_cast<Number>(a.value_ - n)); }
  constexpr NamedNumber& operator++() { ++value_; return *this; }

 private:
  Number value_{};
};

}  // namespace moldau

template <class Number, class Tag>
struct std::hash<moldau::NamedNumber<Number, Tag>> {
  std::size_t operator()(moldau::NamedNumber<Number, Tag> n) const { return std::hash<Number>{}(n.value()); }
};

// Prints the number; written here because fmt's own formatter of numbers costs every source a heavy header.
template <class Number, class Tag>
struct fmt::formatter<moldau::NamedNumber<Number, Tag>> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(moldau::NamedNumber<Number, Tag> n, fmt::format_context& context) const {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, n.value()).ptr;
    return std::copy(static_cast<const char*>(digits), static_cast<const char*>(end), context.out());
  }
};
