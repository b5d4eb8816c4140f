#include "metadata/config/config_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "base/assert.h"
#include "metadata/config/host_port.h"
#include "metadata/config/iso_duration.h"

namespace moldau::metadata {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::optional<double> parse_double(std::string_view text) {
  if (text == "NaN" || text == "+NaN" || text == "-NaN") return std::nan("");
  const bool negative = text.starts_with('-');
  if (text.starts_with('+') || negative) text.remove_prefix(1);
  if (text == "Infinity") return negative ? -HUGE_VAL : HUGE_VAL;
  if (!text.empty() && std::string_view("dDfF").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  if (text.empty() || !(is_digit(text.front()) || text.front() == '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    value = std::strtod(std::string(text).c_str(), nullptr);
  else if (error != std::errc{})
    return std::nullopt;
  return negative ? -value : value;
}

std::string_view type_words(ConfigType type) {
  switch (type) {
    case ConfigType::boolean_:
      return "true or false";
    case ConfigType::int_:
      return "a 32-bit integer";
    case ConfigType::short_:
      return "a 16-bit integer";
    case ConfigType::long_:
      return "a 64-bit integer";
    case ConfigType::double_:
      return "a number";
    case ConfigType::list_:
      return "a list with commas between its entries";
    case ConfigType::class_:
      return "the name of a Java class";
    case ConfigType::string_:
      return "text";
    case ConfigType::password_:
      return "text";
  }
  MOLDAU_UNREACHABLE("every type has its words");
}

std::string number_text(double bound) { return fmt::format("{}", bound); }

// Null, or what is wrong with a list.
std::optional<std::string> list_problem(const Allowed& allowed, const std::vector<std::string>& list) {
  if (list.empty() && !allowed.empty_list) return "the list must not be empty";
  for (const auto& entry : list) {
    if (entry.empty()) return "the list must not have empty entries";
    if (!allowed.choices.empty() && std::ranges::find(allowed.choices, entry) == allowed.choices.end())
      return fmt::format("each entry must be one of: {}", fmt::join(allowed.choices, ", "));
  }
  return std::nullopt;
}

// Kafka 4 drops an entry that stands there again.
void drop_repeats(std::vector<std::string>& list) {
  std::unordered_set<std::string> seen;
  std::erase_if(list, [&](const std::string& entry) { return !seen.insert(entry).second; });
}

bool is_throttled_replica(std::string_view entry) {
  if (entry.empty()) return true;
  const auto colon = entry.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == entry.size()) return false;
  return std::ranges::all_of(entry.substr(0, colon), is_digit) &&
         std::ranges::all_of(entry.substr(colon + 1), is_digit);
}

bool is_offset_reset(std::string_view text) {
  constexpr std::string_view by_duration = "by_duration:";
  if (text == "latest" || text == "earliest") return true;
  if (!text.starts_with(by_duration)) return false;
  const auto duration = parse_iso_duration_ms(text.substr(by_duration.size()));
  return duration && *duration >= 0;
}

// Null if the value is allowed; else in which way it is not.
std::optional<std::string> problem(const ConfigKey& key, const ConfigValue& value) {
  const auto& allowed = key.allowed;
  switch (allowed.kind) {
    case Allowed::Kind::any:
    case Allowed::Kind::non_null:
      return std::nullopt;
    case Allowed::Kind::range: {
      const auto* integer = std::get_if<int64_t>(&value);
      if (integer && allowed.also == *integer) return std::nullopt;
      const double number = integer ? static_cast<double>(*integer) : std::get<double>(value);
      if (number >= allowed.minimum && number <= allowed.maximum) return std::nullopt;
      return fmt::format("it must be {}", allowed_text(key));
    }
    case Allowed::Kind::one_of:
      if (std::ranges::find(allowed.choices, std::get<std::string>(value)) != allowed.choices.end())
        return std::nullopt;
      return fmt::format("it must be {}", allowed_text(key));
    case Allowed::Kind::one_of_in_any_case:
      if (std::ranges::find(allowed.choices, upper(std::get<std::string>(value)), upper) !=
          allowed.choices.end())
        return std::nullopt;
      return fmt::format("it must be {}", allowed_text(key));
    case Allowed::Kind::list_of:
      return list_problem(allowed, std::get<std::vector<std::string>>(value));
    case Allowed::Kind::non_empty_text:
      if (!std::get<std::string>(value).empty()) return std::nullopt;
      return "it must not be empty";
    case Allowed::Kind::quorum_voters:
      for (const auto& voter : std::get<std::vector<std::string>>(value))
        if (!parse_voter(voter)) return fmt::format("{} is not of the form ID@HOST:PORT", voter);
      return std::nullopt;
    case Allowed::Kind::bootstrap_servers:
      for (const auto& server : std::get<std::vector<std::string>>(value))
        if (!parse_host_port(server)) return fmt::format("{} is not of the form HOST:PORT", server);
      return std::nullopt;
    case Allowed::Kind::throttled_replicas: {
      const auto& list = std::get<std::vector<std::string>>(value);
      if (std::ranges::all_of(list, is_throttled_replica) || fmt::format("{}", fmt::join(list, "")) == "*")
        return std::nullopt;
      return fmt::format("it must be {}", allowed_text(key));
    }
    case Allowed::Kind::offset_reset:
      if (is_offset_reset(std::get<std::string>(value))) return std::nullopt;
      return fmt::format("it must be {}", allowed_text(key));
  }
  MOLDAU_UNREACHABLE("every kind has its check");
}

std::optional<ConfigValue> typed(ConfigType type, std::string_view text) {
  const auto number = [&](int64_t least, int64_t most) -> std::optional<ConfigValue> {
    if (const auto value = parse_integer(text, least, most)) return *value;
    return std::nullopt;
  };
  switch (type) {
    case ConfigType::boolean_:
      if (upper(text) == "TRUE") return true;
      if (upper(text) == "FALSE") return false;
      return std::nullopt;
    case ConfigType::int_:
      return number(INT32_MIN, INT32_MAX);
    case ConfigType::short_:
      return number(INT16_MIN, INT16_MAX);
    case ConfigType::long_:
      return number(INT64_MIN, INT64_MAX);
    case ConfigType::double_:
      if (const auto value = parse_double(text)) return *value;
      return std::nullopt;
    case ConfigType::list_:
      return split_list(text);
    case ConfigType::class_:
      if (text.empty()) return std::nullopt;
      return std::string(text);
    case ConfigType::string_:
    case ConfigType::password_:
      return std::string(text);
  }
  MOLDAU_UNREACHABLE("every type is read");
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  text = trimmed(text);
  std::vector<std::string> entries;
  if (text.empty()) return entries;
  while (true) {
    const auto comma = text.find(',');
    entries.emplace_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) return entries;
    text.remove_prefix(comma + 1);
  }
}

std::optional<int64_t> parse_integer(std::string_view text, int64_t least, int64_t most) {
  if (text.size() > 1 && text.front() == '+' && is_digit(text[1])) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return std::nullopt;
  return value;
}

result<ConfigValue, ConfigError> parse_config_value(const ConfigKey& key, std::string_view text) {
  const auto bare = trimmed(text);
  const auto refuse = [&](std::string_view why) {
    constexpr std::size_t longest_quote = 200;
    const auto shown = is_sensitive(key) ? std::string_view("[hidden]") : bare.substr(0, longest_quote);
    const auto rest = shown.size() < bare.size() && !is_sensitive(key) ? "..." : "";
    return fail(ConfigError{std::string(key.name), fmt::format("Invalid value {}{} for configuration {}: {}",
                                                               shown, rest, key.name, why)});
  };
  auto value = typed(key.type, bare);
  if (!value) return refuse(fmt::format("it must be {}", allowed_text(key)));
  if (key.allowed.kind == Allowed::Kind::list_of) drop_repeats(std::get<std::vector<std::string>>(*value));
  if (const auto why = problem(key, *value)) return refuse(*why);
  return std::move(*value);
}

ConfigValue default_config_value(const ConfigKey& key) {
  if (!key.default_value) return {};
  auto value = typed(key.type, *key.default_value);
  MOLDAU_ASSERT_MSG(value.has_value(), "a default that is not of its key's type");
  return std::move(*value);
}

std::string java_double_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char digits[32];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific);
  MOLDAU_ASSERT(error == std::errc{});
  const std::string_view scientific(digits, static_cast<std::size_t>(end - digits));
  const auto e = scientific.find('e');
  std::string mantissa(scientific.substr(0, e));
  const auto exponent_text = scientific.substr(e + 1);
  const auto exponent = static_cast<int>(parse_integer(exponent_text, -400, 400).value_or(0));
  const double size = std::abs(value);
  if (size >= 1e-3 && size < 1e7) {
    auto plain = fmt::format("{}", value);
    if (plain.find_first_of(".e") == std::string::npos) plain += ".0";
    return plain;
  }
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  return fmt::format("{}E{}", mantissa, exponent);
}

std::string config_value_text(const ConfigValue& value) {
  struct Text {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(int64_t n) const { return fmt::format("{}", n); }
    std::string operator()(double d) const { return java_double_text(d); }
    std::string operator()(const std::string& s) const { return s; }
    std::string operator()(const std::vector<std::string>& list) const {
      return fmt::format("{}", fmt::join(list, ","));
    }
  };
  return std::visit(Text{}, value);
}

std::string allowed_text(const ConfigKey& key) {
  const auto& allowed = key.allowed;
  switch (allowed.kind) {
    case Allowed::Kind::range: {
      std::string text(type_words(key.type));
      if (std::isinf(allowed.maximum))
        text += fmt::format(" of at least {}", number_text(allowed.minimum));
      else
        text += fmt::format(" from {} to {}", number_text(allowed.minimum), number_text(allowed.maximum));
      if (allowed.also) text += fmt::format(", or {}", *allowed.also);
      return text;
    }
    case Allowed::Kind::one_of:
      return fmt::format("one of: {}", fmt::join(allowed.choices, ", "));
    case Allowed::Kind::one_of_in_any_case:
      return fmt::format("one of: {} (in any case)", fmt::join(allowed.choices, ", "));
    case Allowed::Kind::throttled_replicas:
      return "* or a list of PARTITION:BROKER";
    case Allowed::Kind::offset_reset:
      return "latest, earliest, or by_duration: with an ISO 8601 duration such as PT1H";
    case Allowed::Kind::list_of:
      if (!allowed.choices.empty()) return fmt::format("a list of: {}", fmt::join(allowed.choices, ", "));
      [[fallthrough]];
    default:
      return std::string(type_words(key.type));
  }
}

}  // namespace moldau::metadata
