// Every message of the protocol as a value, for code that meets them by name or by number: vectors, fuzzers, log dump.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/reader.h"
#include "protocol/version_range.h"

namespace moldau::protocol {

enum class MessageKind : uint8_t { request, response, header, data, metadata, coordinator_key, coordinator_value };

struct MessageType {
  std::string_view name;
  VersionRange valid_versions;
  int16_t first_flexible_version;
  // Decodes and encodes again.
  result<Bytes, DecodeError> (*recode)(Reader& reader, int16_t version);
  result<boost::json::value, DecodeError> (*decode_to_json)(Reader& reader, int16_t version);
  result<Bytes, std::string> (*encode_from_json)(const boost::json::value& json, int16_t version);
};

template <class Message>
extern const MessageType message_type;

struct ListedMessageType {
  std::string_view group;  // the folder of schema/ that it stands in
  MessageKind kind;
  int16_t key;  // of the API or record type, -1 without one
  const MessageType* type;
};

[[nodiscard]] std::span<const ListedMessageType> message_types();
// Null where there is none.
[[nodiscard]] const MessageType* find_message_type(std::string_view name);
[[nodiscard]] const MessageType* find_message_type(MessageKind kind, int16_t key);

}  // namespace moldau::protocol
