// Files of golden vectors: one JSON object on each line. A vector that is not of its form ends the program
// with a message, for it shows nothing about Moldau.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace moldau::vectors {

void for_each_line(const std::filesystem::path& path,
                   const std::function<void(const boost::json::object&)>& use);
[[nodiscard]] boost::json::value read_json(const std::filesystem::path& path);

[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view field);
[[nodiscard]] int64_t number_of(const boost::json::object& object, std::string_view field);
[[nodiscard]] bool bool_of(const boost::json::object& object, std::string_view field);
[[nodiscard]] Bytes hex_of(const boost::json::object& object, std::string_view field);
[[nodiscard]] const boost::json::object& object_of(const boost::json::object& object, std::string_view field);
// Null where the field is absent or null.
[[nodiscard]] const boost::json::value* find(const boost::json::object& object, std::string_view field);

// Empty where they say the same, else the first place where they differ: `topics[2].name: "a" is not "b"`.
[[nodiscard]] std::string difference(const boost::json::value& got, const boost::json::value& wanted);
[[nodiscard]] std::string difference(ByteView got, ByteView wanted);

}  // namespace moldau::vectors
