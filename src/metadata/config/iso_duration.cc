#include "metadata/config/iso_duration.h"

#include <cctype>

#include "metadata/config/config_value.h"

namespace moldau::metadata {
namespace {

struct Unit {
  char letter;
  int64_t ms;
};

constexpr Unit date_units[] = {{'D', 86400000}};
constexpr Unit time_units[] = {{'H', 3600000}, {'M', 60000}, {'S', 1000}};

char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

// Takes "[sign]digits[.fraction]LETTER" for each unit in turn where it stands; false on overflow. `taken`
// counts them.
template <std::size_t n>
bool take_units(std::string_view& text, const Unit (&units)[n], int64_t& total_ms, int& taken) {
  for (const auto& unit : units) {
    std::size_t end = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    const std::size_t first_digit = end;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end == first_digit) return true;
    const auto whole = parse_integer(text.substr(0, end), INT64_MIN / 1000, INT64_MAX / 1000);
    int64_t fraction_ms = 0;
    if (unit.letter == 'S' && end < text.size() && (text[end] == '.' || text[end] == ',')) {
      int64_t weight = 100;
      for (++end; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end, weight /= 10)
        fraction_ms += (text[end] - '0') * weight;
      if (text[0] == '-') fraction_ms = -fraction_ms;
    }
    if (end >= text.size() || upper(text[end]) != unit.letter) continue;
    int64_t part = 0;
    if (!whole || __builtin_mul_overflow(*whole, unit.ms, &part) ||
        __builtin_add_overflow(part, fraction_ms, &part) || __builtin_add_overflow(total_ms, part, &total_ms))
      return false;
    text.remove_prefix(end + 1);
    ++taken;
  }
  return true;
}

}  // namespace

std::optional<int64_t> parse_iso_duration_ms(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || upper(text[0]) != 'P') return std::nullopt;
  text.remove_prefix(1);
  int64_t total_ms = 0;
  int taken = 0;
  if (!take_units(text, date_units, total_ms, taken)) return std::nullopt;
  if (!text.empty() && upper(text[0]) == 'T') {
    text.remove_prefix(1);
    const int before = taken;
    if (!take_units(text, time_units, total_ms, taken) || taken == before) return std::nullopt;
  }
  if (!text.empty() || taken == 0) return std::nullopt;
  return negative ? -total_ms : total_ms;
}

}  // namespace moldau::metadata
