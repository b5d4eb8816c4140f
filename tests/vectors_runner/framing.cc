// values/framing.jsonl: what stands around messages: frames with their headers, metadata records, coordinator
// records, and a few messages that other things carry.
#include <fmt/format.h>

#include "protocol/api_table.h"
#include "protocol/json/message_types.h"
#include "protocol/messages/request_header.h"
#include "protocol/messages/response_header.h"
#include "protocol/reader.h"
#include "protocol/record_frame.h"
#include "protocol/writer.h"
#include "vectors_runner/json_lines.h"
#include "vectors_runner/kinds.h"

namespace moldau::vectors {

namespace json = boost::json;
using namespace moldau::protocol;

namespace {

// A body that follows something else in `in`: it reads as `wanted`, to the end.
std::string check_body(Reader& in, const MessageType& type, int16_t version, const json::value& wanted) {
  const auto body = type.decode_to_json(in, version);
  if (!body) return "does not decode: " + body.error().to_string();
  if (in.remaining() != 0) return fmt::format("leaves {} bytes over", in.remaining());
  return difference(*body, wanted);
}

// Appends the body that the JSON describes.
void append_body(Writer& out, const MessageType& type, int16_t version, const json::value& body) {
  const auto encoded = type.encode_from_json(body, version);
  if (encoded) out.raw(*encoded);
}

template <class Header>
std::string check_frame(const json::object& line, const MessageType& type, const Header& header,
                        int16_t header_version) {
  const Bytes frame = hex_of(line, "hex");
  const auto version = static_cast<int16_t>(number_of(line, "version"));
  Reader in(frame);
  if (in.int32() != static_cast<int32_t>(frame.size()) - 4) return "has the wrong size in front";
  const auto read_header = decode<Header>(in, header_version);
  if (!read_header) return "its header does not decode";
  if (!(*read_header == header)) return "its header reads otherwise";
  if (std::string wrong = check_body(in, type, version, line.at("json")); !wrong.empty()) return wrong;

  Writer out;
  const size_t size_at = out.skip(4);
  encode(out, header, header_version);
  append_body(out, type, version, line.at("json"));
  out.patch_int32(size_at, static_cast<int32_t>(out.size() - 4));
  return difference(out.view(), frame);
}

std::string check_request_frame(const json::object& line, const MessageType& type) {
  const ApiInfo* api = find_api(static_cast<int16_t>(number_of(line, "apiKey")));
  const auto version = static_cast<int16_t>(number_of(line, "version"));
  if (api == nullptr) return "no such API";
  if (api->request_header_version(version) != number_of(line, "headerVersion")) return "has another header";
  RequestHeader header;
  header.request_api_key = static_cast<int16_t>(api->key);
  header.request_api_version = version;
  header.correlation_id = static_cast<int32_t>(number_of(line, "correlationId"));
  const json::value* client_id = find(line, "clientId");
  header.client_id = client_id ? std::optional<std::string>(client_id->get_string()) : std::nullopt;
  return check_frame(line, type, header, api->request_header_version(version));
}

std::string check_response_frame(const json::object& line, const MessageType& type) {
  const ApiInfo* api = find_api(static_cast<int16_t>(number_of(line, "apiKey")));
  const auto version = static_cast<int16_t>(number_of(line, "version"));
  if (api == nullptr) return "no such API";
  if (api->response_header_version(version) != number_of(line, "headerVersion")) return "has another header";
  ResponseHeader header;
  header.correlation_id = static_cast<int32_t>(number_of(line, "correlationId"));
  return check_frame(line, type, header, api->response_header_version(version));
}

std::string check_metadata_record(const json::object& line, const MessageType& type) {
  const Bytes value = hex_of(line, "hex");
  Reader in(value);
  const auto frame = read_metadata_frame(in);
  if (!frame) return "its frame does not decode: " + frame.error().to_string();
  if (frame->type != number_of(line, "apiKey") || frame->version != number_of(line, "version"))
    return fmt::format("its frame says type {} version {}", frame->type, frame->version);
  if (find_message_type(MessageKind::metadata, frame->type) != &type) return "another message has this type";
  if (std::string wrong = check_body(in, type, frame->version, line.at("json")); !wrong.empty()) return wrong;
  Writer out;
  write_metadata_frame(out, *frame);
  append_body(out, type, frame->version, line.at("json"));
  return difference(out.view(), value);
}

// An int16 before the body: the key's type, or the value's version.
std::string check_prefixed(const Bytes& bytes, int16_t prefix, const MessageType& type, int16_t version,
                           const json::value& wanted) {
  Reader in(bytes);
  if (in.int16() != prefix) return "has another number in front";
  if (std::string wrong = check_body(in, type, version, wanted); !wrong.empty()) return wrong;
  Writer out;
  out.int16(prefix);
  append_body(out, type, version, wanted);
  return difference(out.view(), bytes);
}

std::string check_coordinator_record(const json::object& line, const MessageType& key_type) {
  const auto type = static_cast<int16_t>(number_of(line, "apiKey"));
  const auto value_version = static_cast<int16_t>(number_of(line, "valueVersion"));
  const MessageType* value_type = find_message_type(text_of(line, "valueName"));
  if (value_type == nullptr) return "no such value";
  // Keys have one version each, the one that is their type in the oldest coordinator and 0 in the others.
  if (std::string wrong = check_prefixed(hex_of(line, "keyHex"), type, key_type, key_type.valid_versions.max,
                                         line.at("keyJson"));
      !wrong.empty())
    return "key: " + wrong;
  const std::string wrong = check_prefixed(hex_of(line, "valueHex"), value_version, *value_type,
                                           value_version, line.at("valueJson"));
  return wrong.empty() ? "" : "value: " + wrong;
}

// A message with its version in front, that no JSON stands beside: it must come back as it was.
std::string check_versioned(const Bytes& bytes, const MessageType& type) {
  Reader in(bytes);
  const int16_t version = in.int16();
  const auto recoded = type.recode(in, version);
  if (!recoded) return "does not decode: " + recoded.error().to_string();
  if (in.remaining() != 0) return fmt::format("leaves {} bytes over", in.remaining());
  Writer out;
  out.int16(version);
  out.raw(*recoded);
  return difference(out.view(), bytes);
}

std::string check_principal(const json::object& line) {
  const Bytes bytes = hex_of(line, "hex");
  const MessageType* type = find_message_type("DefaultPrincipalData");
  if (std::string wrong = check_versioned(bytes, *type); !wrong.empty()) return wrong;
  Reader in(ByteView(bytes).subspan(2));
  const json::object wanted{{"type", text_of(line, "type")},
                            {"name", text_of(line, "name")},
                            {"tokenAuthenticated", bool_of(line, "tokenAuthenticated")}};
  return check_body(in, *type, 0, wanted);
}

std::string check_remote_log_metadata(const json::object& line, const MessageType& type) {
  const Bytes bytes = hex_of(line, "hex");
  Reader in(bytes);
  const auto frame = read_metadata_frame(in);
  if (!frame) return "its frame does not decode: " + frame.error().to_string();
  const auto recoded = type.recode(in, frame->version);
  if (!recoded) return "does not decode: " + recoded.error().to_string();
  if (in.remaining() != 0) return fmt::format("leaves {} bytes over", in.remaining());
  Writer out;
  write_metadata_frame(out, *frame);
  out.raw(*recoded);
  return difference(out.view(), bytes);
}

std::string check_line(const json::object& line) {
  const std::string kind = text_of(line, "kind");
  if (kind == "principal") return check_principal(line);
  if (kind == "consumer-subscription")
    return check_versioned(hex_of(line, "hex"), *find_message_type("ConsumerProtocolSubscription"));
  if (kind == "consumer-assignment")
    return check_versioned(hex_of(line, "hex"), *find_message_type("ConsumerProtocolAssignment"));
  const MessageType* type = find_message_type(text_of(line, "name"));
  if (type == nullptr) return "no such message";
  if (kind == "request-frame") return check_request_frame(line, *type);
  if (kind == "response-frame") return check_response_frame(line, *type);
  if (kind == "metadata-record") return check_metadata_record(line, *type);
  if (kind == "remote-log-metadata") return check_remote_log_metadata(line, *type);
  if (kind.ends_with("-coordinator-record")) return check_coordinator_record(line, *type);
  return "nothing checks this kind: " + kind;
}

}  // namespace

void check_framing(const std::filesystem::path& path, std::string_view file, Report& report) {
  int number = 0;
  for_each_line(path, [&](const json::object& line) {
    const json::value* name = find(line, "name");
    const std::string what = name != nullptr ? std::string(name->get_string()) : std::string();
    report.add(file, fmt::format("line-{}:{}:{}", ++number, text_of(line, "kind"), what), check_line(line));
  });
}

}  // namespace moldau::vectors
