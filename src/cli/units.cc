#include "cli/units.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <array>
#include <charconv>
#include <chrono>

namespace moldau::cli {

namespace {

constexpr int64_t second_ms = 1000;
constexpr int64_t minute_ms = 60 * second_ms;
constexpr int64_t hour_ms = 60 * minute_ms;
constexpr int64_t day_ms = 24 * hour_ms;

// Takes a whole number from the front of `text`.
std::optional<int64_t> take_number(std::string_view& text) {
  int64_t number = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, std::string_view token) {
  if (!text.starts_with(token)) return false;
  text.remove_prefix(token.size());
  return true;
}

// Exactly `digits` digits.
std::optional<int> take_digits(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return number;
}

std::optional<int64_t> unit_ms(std::string_view& text, bool is_iso, bool is_time_part) {
  if (is_iso) {
    if (!is_time_part) {
      if (take(text, "W")) return 7 * day_ms;
      if (take(text, "D")) return day_ms;
      return std::nullopt;
    }
    if (take(text, "H")) return hour_ms;
    if (take(text, "M")) return minute_ms;
    if (take(text, "S")) return second_ms;
    return std::nullopt;
  }
  if (take(text, "ms")) return 1;
  if (take(text, "s")) return second_ms;
  if (take(text, "m")) return minute_ms;
  if (take(text, "h")) return hour_ms;
  if (take(text, "d")) return day_ms;
  if (take(text, "w")) return 7 * day_ms;
  return std::nullopt;
}

// Milliseconds of a fraction after the point, cut off.
std::optional<int64_t> take_fraction(std::string_view& text) {
  int64_t fraction = 0;
  int64_t scale = 100;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits, scale /= 10)
    fraction += (text[digits] - '0') * scale;
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return fraction;
}

}  // namespace

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  const bool is_negative = take(text, "-");
  bool is_time_part = false;
  const bool is_iso = take(text, "P");
  if (text.empty()) return std::nullopt;
  int64_t total = 0;
  bool has_part = false;
  while (!text.empty()) {
    if (is_iso && !is_time_part && take(text, "T")) {
      is_time_part = true;
      continue;
    }
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    int64_t fraction = 0;
    if (take(text, ".")) {
      const auto parsed = take_fraction(text);
      if (!parsed) return std::nullopt;
      fraction = *parsed;
    }
    int64_t unit = 1;
    if (text.empty() && !is_iso && !has_part) {
      if (fraction != 0) return std::nullopt;
    } else {
      const auto parsed = unit_ms(text, is_iso, is_time_part);
      if (!parsed) return std::nullopt;
      unit = *parsed;
    }
    int64_t part = 0;
    if (__builtin_mul_overflow(*number, unit, &part) || __builtin_add_overflow(total, part, &total) ||
        __builtin_add_overflow(total, fraction * unit / 1000, &total)) {
      return std::nullopt;
    }
    has_part = true;
  }
  if (!has_part) return std::nullopt;
  return is_negative ? -total : total;
}

std::optional<int64_t> parse_instant_ms(std::string_view text) {
  std::string_view rest = text;
  const bool is_marked = take(rest, "@");
  if (auto number = std::string_view(rest); is_marked || text.size() > 10) {
    const auto ms = take_number(number);
    if (ms && number.empty()) return ms;
    if (is_marked) return std::nullopt;
  }
  const auto year = take_digits(rest, 4);
  if (!year || !take(rest, "-")) return std::nullopt;
  const auto month = take_digits(rest, 2);
  if (!month || !take(rest, "-")) return std::nullopt;
  const auto day = take_digits(rest, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  int64_t ms = std::chrono::sys_days(date).time_since_epoch().count() * day_ms;
  if (rest.empty()) return ms;
  if (!take(rest, "T") && !take(rest, " ")) return std::nullopt;
  const auto hour = take_digits(rest, 2);
  if (!hour || *hour > 23 || !take(rest, ":")) return std::nullopt;
  const auto minute = take_digits(rest, 2);
  if (!minute || *minute > 59) return std::nullopt;
  ms += *hour * hour_ms + *minute * minute_ms;
  if (take(rest, ":")) {
    const auto second = take_digits(rest, 2);
    if (!second || *second > 59) return std::nullopt;
    ms += *second * second_ms;
    if (take(rest, ".")) {
      const auto fraction = take_fraction(rest);
      if (!fraction) return std::nullopt;
      ms += *fraction;
    }
  }
  if (rest.empty() || rest == "Z") return ms;
  const int sign = rest.front() == '+' ? 1 : rest.front() == '-' ? -1 : 0;
  if (sign == 0) return std::nullopt;
  rest.remove_prefix(1);
  const auto zone_hour = take_digits(rest, 2);
  if (!zone_hour) return std::nullopt;
  take(rest, ":");
  const auto zone_minute = rest.empty() ? std::optional(0) : take_digits(rest, 2);
  if (!zone_minute || !rest.empty()) return std::nullopt;
  return ms - sign * (*zone_hour * hour_ms + *zone_minute * minute_ms);
}

std::string instant_text(int64_t ms_since_1970) {
  constexpr int64_t year_9999_ms = 253'402'300'799'999;
  if (ms_since_1970 < 0) return "-";
  if (ms_since_1970 > year_9999_ms) return fmt::format("@{}", ms_since_1970);
  const auto seconds = static_cast<time_t>(ms_since_1970 / second_ms);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), ms_since_1970 % second_ms);
}

std::string duration_text(int64_t duration_ms) {
  if (duration_ms < 0) return "-" + duration_text(-duration_ms);
  if (duration_ms < second_ms) return fmt::format("{} ms", duration_ms);
  if (duration_ms < minute_ms)
    return fmt::format("{}.{} s", duration_ms / second_ms, duration_ms % second_ms / 100);
  if (duration_ms < hour_ms)
    return fmt::format("{}m {}s", duration_ms / minute_ms, duration_ms % minute_ms / second_ms);
  if (duration_ms < day_ms)
    return fmt::format("{}h {}m", duration_ms / hour_ms, duration_ms % hour_ms / minute_ms);
  return fmt::format("{}d {}h", duration_ms / day_ms, duration_ms % day_ms / hour_ms);
}

std::string size_text(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < units.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string count_text(int64_t count) {
  std::string digits = fmt::format("{}", count);
  const size_t first = count < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  HostPort parsed;
  std::string_view rest = text;
  if (take(rest, "[")) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parsed.host = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  } else {
    const size_t end = rest.find(':');
    parsed.host = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  if (parsed.host.empty()) return std::nullopt;
  if (rest.empty()) return parsed;
  if (!take(rest, ":")) return std::nullopt;
  const auto port = take_number(rest);
  if (!port || !rest.empty() || *port < 1 || *port > 65535) return std::nullopt;
  parsed.port = static_cast<uint16_t>(*port);
  return parsed;
}

}  // namespace moldau::cli
