#include "cli/log_records.h"

#include <fmt/core.h>

#include <string>

#include "protocol/json/message_types.h"
#include "protocol/reader.h"

namespace moldau::cli {

using protocol::MessageKind;
using protocol::MessageType;

namespace {

boost::json::object undecoded(std::string_view why) { return {{"undecoded", why}}; }

const MessageType* find_type(std::string_view group, MessageKind kind, int16_t key) {
  for (const auto& listed : protocol::message_types()) {
    if (listed.group == group && listed.kind == kind && listed.key == key) return listed.type;
  }
  return nullptr;
}

// The message as JSON, or why not.
boost::json::value json_of(const MessageType& type, protocol::Reader& reader, int16_t version) {
  if (!type.valid_versions.contains(version))
    return undecoded(fmt::format("{} has no version {}", type.name, version));
  auto json = type.decode_to_json(reader, version);
  if (!json) return undecoded(fmt::format("{}: {}", type.name, json.error().to_string()));
  return std::move(*json);
}

boost::json::object metadata_record(const std::optional<ByteView>& value) {
  if (!value) return undecoded("no value");
  protocol::Reader reader(*value);
  const uint32_t frame_version = reader.unsigned_varint();
  const auto key = static_cast<int16_t>(reader.unsigned_varint());
  const auto version = static_cast<int16_t>(reader.unsigned_varint());
  if (reader.failed()) return undecoded("cut off");
  if (frame_version > 1) return undecoded(fmt::format("frame version {}", frame_version));
  const MessageType* type = find_type("metadata", MessageKind::metadata, key);
  if (type == nullptr) return undecoded(fmt::format("there is no metadata record {}", key));
  return {{"type", type->name}, {"version", version}, {"data", json_of(*type, reader, version)}};
}

boost::json::object coordinator_record(std::string_view group, const std::optional<ByteView>& key,
                                       const std::optional<ByteView>& value) {
  if (!key) return undecoded("no key");
  protocol::Reader key_reader(*key);
  const int16_t type_number = key_reader.int16();
  const MessageType* key_type = find_type(group, MessageKind::coordinator_key, type_number);
  if (key_reader.failed() || key_type == nullptr)
    return undecoded(fmt::format("there is no record type {}", type_number));
  std::string_view name = key_type->name;
  name.remove_suffix(name.ends_with("Key") ? 3 : 0);
  boost::json::object json{{"type", name}, {"key", json_of(*key_type, key_reader, 0)}, {"value", nullptr}};
  if (!value) return json;
  const MessageType* value_type = find_type(group, MessageKind::coordinator_value, type_number);
  protocol::Reader value_reader(*value);
  const int16_t version = value_reader.int16();
  if (value_type == nullptr || value_reader.failed()) {
    json["value"] = undecoded("no such value");
  } else {
    json["value_version"] = version;
    json["value"] = json_of(*value_type, value_reader, version);
  }
  return json;
}

}  // namespace

RecordDecoder decoder_for(std::string_view topic) {
  if (topic == "__cluster_metadata") return RecordDecoder::metadata;
  if (topic == "__consumer_offsets") return RecordDecoder::groups;
  if (topic == "__transaction_state") return RecordDecoder::transactions;
  if (topic == "__share_group_state") return RecordDecoder::shares;
  return RecordDecoder::none;
}

boost::json::object decoded_record(RecordDecoder decoder, const std::optional<ByteView>& key,
                                   const std::optional<ByteView>& value) {
  switch (decoder) {
    case RecordDecoder::none:
      return {};
    case RecordDecoder::metadata:
      return metadata_record(value);
    case RecordDecoder::groups:
      return coordinator_record("group-coordinator", key, value);
    case RecordDecoder::transactions:
      return coordinator_record("transaction-coordinator", key, value);
    case RecordDecoder::shares:
      return coordinator_record("share-coordinator", key, value);
  }
  return {};
}

boost::json::object decoded_control_record(const std::optional<ByteView>& key,
                                           const std::optional<ByteView>& value) {
  if (!key) return undecoded("no key");
  protocol::Reader key_reader(*key);
  key_reader.int16();
  const int16_t type = key_reader.int16();
  if (key_reader.failed()) return undecoded("cut off");
  struct ControlType {
    std::string_view name;
    std::string_view message;  // of the value
  };
  static constexpr ControlType types[] = {{"abort", "EndTxnMarker"},
                                          {"commit", "EndTxnMarker"},
                                          {"leader_change", "LeaderChangeMessage"},
                                          {"snapshot_header", "SnapshotHeaderRecord"},
                                          {"snapshot_footer", "SnapshotFooterRecord"},
                                          {"kraft_version", "KRaftVersionRecord"},
                                          {"voters", "VotersRecord"}};
  if (type < 0 || static_cast<size_t>(type) >= std::size(types))
    return undecoded(fmt::format("control type {}", type));
  const ControlType& control = types[static_cast<size_t>(type)];
  boost::json::object json{{"type", control.name}};
  const MessageType* message = protocol::find_message_type(control.message);
  if (!value || value->size() < 2 || message == nullptr) return json;
  // The version stands in the first two bytes; messages of the quorum have it as a field of their own, too.
  protocol::Reader value_reader(*value);
  const bool has_prefix = control.message == "EndTxnMarker";
  const auto version = load_be<int16_t>(value->data());
  if (has_prefix) value_reader.int16();
  json["value"] = json_of(*message, value_reader, version);
  return json;
}

}  // namespace moldau::cli
