#include "protocol/json/json_fields.h"

#include "protocol/json/base64.h"

namespace moldau::protocol {

namespace {

constexpr std::string_view unknown_tagged_fields_name = "_unknownTaggedFields";

}  // namespace

boost::json::value JsonFieldWriter::json_of(const Bytes& value, int16_t) {
  return boost::json::string(to_base64(value));
}

boost::json::value JsonFieldWriter::json_of(const Records& value, int16_t) {
  if (value.is_null) return nullptr;
  return boost::json::string(to_base64(value.bytes));
}

void JsonFieldWriter::unknown_tagged_fields(const std::vector<TaggedField>& fields) {
  if (fields.empty()) return;
  boost::json::array array;
  for (const TaggedField& field : fields)
    array.push_back(boost::json::object{{"tag", field.tag}, {"data", to_base64(field.data)}});
  object_[unknown_tagged_fields_name] = std::move(array);
}

JsonFieldReader::JsonFieldReader(const boost::json::value& json, std::string& error, JsonBytes& held)
    : object_(json.if_object()), error_(error), held_(held) {
  if (object_ == nullptr && error_.empty()) error_ = "not an object";
}

const boost::json::value* JsonFieldReader::find(std::string_view name) const {
  return object_ == nullptr ? nullptr : object_->if_contains(name);
}

void JsonFieldReader::fail(std::string_view name, std::string_view why) {
  if (error_.empty()) error_ = std::string(name) + " " + std::string(why);
}

void JsonFieldReader::unknown_tagged_fields(std::vector<TaggedField>& fields) {
  const boost::json::value* json = find(unknown_tagged_fields_name);
  if (json == nullptr) return;
  if (!json->is_array()) return fail(unknown_tagged_fields_name, "is not an array");
  for (const boost::json::value& one : json->get_array()) {
    TaggedField& field = fields.emplace_back();
    const boost::json::object* object = one.if_object();
    const boost::json::value* tag = object ? object->if_contains("tag") : nullptr;
    const boost::json::value* data = object ? object->if_contains("data") : nullptr;
    if (tag == nullptr || data == nullptr || !take(*tag, field.tag, 0) || !take(*data, field.data, 0))
      return fail(unknown_tagged_fields_name, "has the wrong form");
  }
}

bool JsonFieldReader::take(const boost::json::value& json, bool& value, int16_t) {
  if (!json.is_bool()) return false;
  value = json.get_bool();
  return true;
}

bool JsonFieldReader::take(const boost::json::value& json, double& value, int16_t) {
  if (!json.is_number()) return false;
  value = json.to_number<double>();
  return true;
}

bool JsonFieldReader::take(const boost::json::value& json, std::string& value, int16_t) {
  if (!json.is_string()) return false;
  value = json.get_string();
  return true;
}

bool JsonFieldReader::take(const boost::json::value& json, Uuid& value, int16_t) {
  if (!json.is_string()) return false;
  const auto uuid = Uuid::parse(json.get_string());
  if (uuid) value = *uuid;
  return uuid.has_value();
}

bool JsonFieldReader::take(const boost::json::value& json, Bytes& value, int16_t) {
  if (!json.is_string()) return false;
  auto bytes = from_base64(json.get_string());
  if (bytes) value = std::move(*bytes);
  return bytes.has_value();
}

bool JsonFieldReader::take(const boost::json::value& json, Records& value, int16_t version) {
  if (json.is_null()) {
    value = Records();
    return true;
  }
  Bytes bytes;
  if (!take(json, bytes, version)) return false;
  value = Records(held_.emplace_back(std::move(bytes)));
  return true;
}

const MessageType* find_message_type(std::string_view name) {
  for (const ListedMessageType& listed : message_types())
    if (listed.type->name == name) return listed.type;
  return nullptr;
}

const MessageType* find_message_type(MessageKind kind, int16_t key) {
  for (const ListedMessageType& listed : message_types())
    if (listed.kind == kind && listed.key == key) return listed.type;
  return nullptr;
}

}  // namespace moldau::protocol
