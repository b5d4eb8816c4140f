// How the generated sources put a message's fields into JSON and take them out. Included by those sources alone.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "base/uuid.h"
#include "protocol/json/message_json.h"
#include "protocol/json/message_types.h"
#include "protocol/message.h"
#include "protocol/writer.h"

namespace moldau::protocol {

class JsonFieldWriter {
 public:
  template <class Value>
  void field(std::string_view name, const Value& value, int16_t version) {
    object_[name] = json_of(value, version);
  }
  void unknown_tagged_fields(const std::vector<TaggedField>& fields);
  [[nodiscard]] boost::json::object take() { return std::move(object_); }

 private:
  static boost::json::value json_of(bool value, int16_t) { return value; }
  template <std::integral Integer>
  static boost::json::value json_of(Integer value, int16_t) { return static_cast<int64_t>(value); }
  static boost::json::value json_of(double value, int16_t) { return value; }
  static boost::json::value json_of(const std::string& value, int16_t) { return boost::json::string(value); }
  static boost::json::value json_of(const Uuid& value, int16_t) { return boost::json::string(value.to_string()); }
  static boost::json::value json_of(const Bytes& value, int16_t);
  static boost::json::value json_of(const Records& value, int16_t);
  template <class Value>
  static boost::json::value json_of(const std::optional<Value>& value, int16_t version) {
    return value ? json_of(*value, version) : boost::json::value(nullptr);
  }
  template <class Element>
  static boost::json::value json_of(const std::vector<Element>& elements, int16_t version) {
    boost::json::array array;
    array.reserve(elements.size());
    for (const Element& element : elements) array.push_back(json_of(element, version));
    return array;
  }
  template <class Struct>
    requires std::is_class_v<Struct>
  static boost::json::value json_of(const Struct& value, int16_t version) {
    JsonFieldWriter inner;
    put_fields(inner, value, version);
    return inner.take();
  }

  boost::json::object object_;
};

// Fails for good at the first wrong field, as Reader does.
class JsonFieldReader {
 public:
  JsonFieldReader(const boost::json::value& json, std::string& error, JsonBytes& held);

  template <class Value>
  void field(std::string_view name, Value& value, int16_t version) {
    const boost::json::value* json = find(name);
    if (json == nullptr) return fail(name, "is missing");
    if (!take(*json, value, version)) fail(name, "has the wrong form");
  }
  template <class Value>
  void tagged_field(std::string_view name, Value& value, int16_t version) {
    const boost::json::value* json = find(name);
    if (json != nullptr && !take(*json, value, version)) fail(name, "has the wrong form");
  }
  void unknown_tagged_fields(std::vector<TaggedField>& fields);

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view name) const;
  void fail(std::string_view name, std::string_view why);

  static bool take(const boost::json::value& json, bool& value, int16_t);
  template <std::integral Integer>
  static bool take(const boost::json::value& json, Integer& value, int16_t) {
    if (!json.is_int64() || !std::in_range<Integer>(json.get_int64())) return false;
    value = static_cast<Integer>(json.get_int64());
    return true;
  }
  static bool take(const boost::json::value& json, double& value, int16_t);
  static bool take(const boost::json::value& json, std::string& value, int16_t);
  static bool take(const boost::json::value& json, Uuid& value, int16_t);
  static bool take(const boost::json::value& json, Bytes& value, int16_t);
  bool take(const boost::json::value& json, Records& value, int16_t);
  template <class Value>
  bool take(const boost::json::value& json, std::optional<Value>& value, int16_t version) {
    if (!json.is_null()) return take(json, *(value = Value{}), version);
    value.reset();
    return true;
  }
  template <class Element>
  bool take(const boost::json::value& json, std::vector<Element>& elements, int16_t version) {
    if (!json.is_array()) return false;
    elements.clear();
    for (const boost::json::value& one : json.get_array())
      if (!take(one, elements.emplace_back(), version)) return false;
    return true;
  }
  template <class Struct>
    requires std::is_class_v<Struct>
  bool take(const boost::json::value& json, Struct& value, int16_t version) {
    if (!json.is_object()) return false;
    JsonFieldReader inner(json, error_, held_);
    take_fields(inner, value, version);
    return true;
  }

  const boost::json::object* object_;
  std::string& error_;
  JsonBytes& held_;
};

template <class Message>
boost::json::value to_json(const Message& message, int16_t version) {
  JsonFieldWriter out;
  put_fields(out, message, version);
  return out.take();
}

template <class Message>
result<Message, std::string> from_json(const boost::json::value& json, int16_t version, JsonBytes& held) {
  std::string error;
  JsonFieldReader in(json, error, held);
  Message message;
  if (error.empty()) take_fields(in, message, version);
  if (!error.empty()) return moldau::fail(std::move(error));
  return message;
}

template <class Message>
const MessageType message_type{
    .name = Message::message_name,
    .valid_versions = Message::valid_versions,
    .first_flexible_version = Message::first_flexible_version,
    .recode = [](Reader& reader, int16_t version) -> result<Bytes, DecodeError> {
      MOLDAU_TRY(const Message message, decode<Message>(reader, version));
      return encode_to_bytes(message, version);
    },
    .decode_to_json = [](Reader& reader, int16_t version) -> result<boost::json::value, DecodeError> {
      MOLDAU_TRY(const Message message, decode<Message>(reader, version));
      return to_json(message, version);
    },
    .encode_from_json = [](const boost::json::value& json, int16_t version) -> result<Bytes, std::string> {
      JsonBytes held;
      MOLDAU_TRY(const Message message, from_json<Message>(json, version, held));
      return encode_to_bytes(message, version);
    },
};

}  // namespace moldau::protocol
