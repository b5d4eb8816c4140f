#include "vectors_runner/json_lines.h"

#include <fmt/core.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace moldau::vectors {

namespace json = boost::json;

namespace {

[[noreturn]] void unusable(std::string_view what) {
  fmt::print(stderr, "error: unusable vectors: {}\n", what);
  std::exit(2);
}

json::value parse(std::string_view text, const std::filesystem::path& path) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) unusable(fmt::format("{}: {}", path.string(), error.message()));
  return value;
}

const json::value& field_of(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr)
    unusable(fmt::format("no field {} in {}", field, json::serialize(object).substr(0, 200)));
  return *value;
}

bool is_same_number(const json::value& a, const json::value& b) {
  if (a.is_double() || b.is_double()) {
    const double x = a.to_number<double>();
    const double y = b.to_number<double>();
    return x == y || std::abs(x - y) <= std::abs(x) * 1e-15;
  }
  boost::system::error_code a_lies_beyond;
  boost::system::error_code b_lies_beyond;
  const auto x = a.to_number<int64_t>(a_lies_beyond);
  const auto y = b.to_number<int64_t>(b_lies_beyond);
  if (a_lies_beyond || b_lies_beyond) return a == b;
  return x == y;
}

std::string short_text(const json::value& value) {
  std::string text = json::serialize(value);
  return text.size() <= 120 ? text : text.substr(0, 120) + "...";
}

std::string difference_at(const std::string& place, const json::value& got, const json::value& wanted) {
  if (got.is_object() && wanted.is_object()) {
    for (const auto& [name, value] : wanted.get_object()) {
      const json::value* ours = got.get_object().if_contains(name);
      if (ours == nullptr) return fmt::format("{}.{} is missing", place, std::string_view(name));
      std::string inner = difference_at(place + "." + std::string(name), *ours, value);
      if (!inner.empty()) return inner;
    }
    for (const auto& [name, value] : got.get_object())
      if (!wanted.get_object().contains(name))
        return fmt::format("{}.{} is too much", place, std::string_view(name));
    return {};
  }
  if (got.is_array() && wanted.is_array()) {
    if (got.get_array().size() != wanted.get_array().size())
      return fmt::format("{} has {} elements, not {}", place, got.get_array().size(),
                         wanted.get_array().size());
    for (size_t i = 0; i < wanted.get_array().size(); ++i) {
      std::string inner =
          difference_at(fmt::format("{}[{}]", place, i), got.get_array()[i], wanted.get_array()[i]);
      if (!inner.empty()) return inner;
    }
    return {};
  }
  const bool is_same = got.is_number() && wanted.is_number() ? is_same_number(got, wanted) : got == wanted;
  return is_same ? std::string()
                 : fmt::format("{}: {} is not {}", place, short_text(got), short_text(wanted));
}

}  // namespace

void for_each_line(const std::filesystem::path& path, const std::function<void(const json::object&)>& use) {
  std::ifstream in(path);
  if (!in) unusable(path.string() + " cannot be read");
  for (std::string line; std::getline(in, line);) {
    const json::value value = parse(line, path);
    if (!value.is_object()) unusable(path.string() + ": a line is not an object");
    use(value.get_object());
  }
}

json::value read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) unusable(path.string() + " cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return parse(text.str(), path);
}

std::string text_of(const json::object& object, std::string_view field) {
  const json::value& value = field_of(object, field);
  if (!value.is_string()) unusable(fmt::format("{} is not text", field));
  return std::string(value.get_string());
}

int64_t number_of(const json::object& object, std::string_view field) {
  const json::value& value = field_of(object, field);
  if (value.is_uint64()) return static_cast<int64_t>(value.get_uint64());
  if (!value.is_int64()) unusable(fmt::format("{} is not a whole number", field));
  return value.get_int64();
}

bool bool_of(const json::object& object, std::string_view field) {
  const json::value& value = field_of(object, field);
  if (!value.is_bool()) unusable(fmt::format("{} is not true or false", field));
  return value.get_bool();
}

Bytes hex_of(const json::object& object, std::string_view field) { return from_hex(text_of(object, field)); }

const json::object& object_of(const json::object& object, std::string_view field) {
  const json::value& value = field_of(object, field);
  if (!value.is_object()) unusable(fmt::format("{} is not an object", field));
  return value.get_object();
}

const json::value* find(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string difference(const json::value& got, const json::value& wanted) {
  return difference_at("", got, wanted);
}

std::string difference(ByteView got, ByteView wanted) {
  if (equal(got, wanted)) return {};
  size_t at = 0;
  while (at < got.size() && at < wanted.size() && got[at] == wanted[at]) ++at;
  const auto around = [at](ByteView bytes) {
    const size_t from = std::min(at, bytes.size());
    return to_hex(bytes.subspan(from, std::min<size_t>(16, bytes.size() - from)));
  };
  return fmt::format("{} bytes, not {}; from byte {} on {}, not {}", got.size(), wanted.size(), at,
                     around(got), around(wanted));
}

}  // namespace moldau::vectors
