// messages/GROUP/NAME.jsonl: every message in every version. Decoded, each must encode to the same bytes and
// read as the JSON beside it; made from that JSON, it must encode to them too.
#include <fmt/format.h>

#include <algorithm>

#include "protocol/json/message_types.h"
#include "protocol/reader.h"
#include "vectors_runner/json_lines.h"
#include "vectors_runner/kinds.h"

namespace moldau::vectors {

namespace {

using protocol::MessageType;
using protocol::Reader;

bool holds_double(const boost::json::value& json) {
  if (const auto* object = json.if_object())
    return std::ranges::any_of(*object, [](const auto& field) { return holds_double(field.value()); });
  if (const auto* array = json.if_array()) return std::ranges::any_of(*array, holds_double);
  return json.is_double();
}

std::string check_one(const MessageType& type, int16_t version, const boost::json::value& json,
                      ByteView bytes) {
  Reader recoding(bytes);
  const auto recoded = type.recode(recoding, version);
  if (!recoded) return "does not decode: " + recoded.error().to_string();
  if (recoding.remaining() != 0) return fmt::format("leaves {} bytes over", recoding.remaining());
  if (std::string wrong = difference(*recoded, bytes); !wrong.empty()) return "encoded again: " + wrong;

  Reader reading(bytes);
  const auto read = type.decode_to_json(reading, version);
  if (!read) return "does not decode to JSON";
  if (std::string wrong = difference(*read, json); !wrong.empty()) return "as JSON: " + wrong;

  const auto encoded = type.encode_from_json(json, version);
  if (!encoded) return "from JSON: " + encoded.error();
  const std::string wrong = difference(*encoded, bytes);
  if (wrong.empty() || holds_double(json)) return {};  // the JSON parser may miss a double by its last bit
  return "encoded from JSON: " + wrong;
}

}  // namespace

void check_messages(const std::filesystem::path& path, std::string_view file, Report& report) {
  const MessageType* type = protocol::find_message_type(path.stem().string());
  if (type == nullptr) return report.add(file, "*", "no such message");
  for_each_line(path, [&](const boost::json::object& line) {
    if (line.contains("validVersions")) return;  // the first line, about the file
    const auto version = static_cast<int16_t>(number_of(line, "version"));
    const std::string name = fmt::format("v{}:{}", version, text_of(line, "case"));
    report.add(file, name, check_one(*type, version, line.at("json"), hex_of(line, "hex")));
  });
}

}  // namespace moldau::vectors
