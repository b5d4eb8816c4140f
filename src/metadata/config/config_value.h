// One configuration value: from text, checked against its key as Kafka's ConfigDef checks it, and back to the
// text that DescribeConfigs shows. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "metadata/config/config_key.h"

namespace moldau::metadata {

// boolean: bool; int, short, long: int64_t; double: double; list: vector; string, class, password: string;
// null: monostate.
using ConfigValue =
    std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<std::string>>;

// Why a value was refused: the key, the value (hidden when sensitive) and what is allowed, in one sentence.
struct ConfigError {
  std::string key;
  std::string message;
};

// The typed value of `text`. Blanks around it do not count.
[[nodiscard]] result<ConfigValue, ConfigError> parse_config_value(const ConfigKey& key,
                                                                  std::string_view text);

// The default, typed. Null for a key without one.
[[nodiscard]] ConfigValue default_config_value(const ConfigKey& key);

// As Kafka prints it: lists joined with commas, doubles as Java writes them. Empty for null.
[[nodiscard]] std::string config_value_text(const ConfigValue& value);

// What is allowed, for people: "an integer of at least 1".
[[nodiscard]] std::string allowed_text(const ConfigKey& key);

// Java's Double.toString.
[[nodiscard]] std::string java_double_text(double value);

// Without the characters up to the blank at both ends, as Java's String.trim.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// Entries between commas and the blanks around them; nothing for blank text.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

// A decimal number as Java's Integer.parseInt and Long.parseLong take it ("+5" too), within [least, most].
[[nodiscard]] std::optional<int64_t> parse_integer(std::string_view text, int64_t least, int64_t most);

}  // namespace moldau::metadata
