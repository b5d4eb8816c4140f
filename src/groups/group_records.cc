#include "groups/group_records.h"

#include <fmt/format.h>

#include "protocol/messages/group_metadata_key.h"
#include "protocol/messages/offset_commit_key.h"
#include "protocol/messages/offset_commit_value.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace moldau::groups {
namespace {

constexpr int16_t group_value_version = 3;
constexpr int16_t offset_value_version = 4;
constexpr int16_t offset_value_version_with_expiry = 1;

template <class Message>
Bytes with_prefix(int16_t prefix, const Message& message, int16_t version) {
  protocol::Writer writer;
  writer.int16(prefix);
  protocol::encode(writer, message, version);
  return writer.take();
}

Bytes offset_key_bytes(const OffsetKey& key) {
  protocol::OffsetCommitKey message;
  message.group = key.group;
  message.topic = key.topic;
  message.partition = key.partition;
  return with_prefix(protocol::OffsetCommitKey::record_type, message, 0);
}

Bytes group_key_bytes(const std::string& group_id) {
  protocol::GroupMetadataKey message;
  message.group = group_id;
  return with_prefix(protocol::GroupMetadataKey::record_type, message, 0);
}

template <class Message>
result<Message, std::string> decode_value(ByteView bytes) {
  if (bytes.size() < 2) return fail(std::string("a value without a version"));
  const auto version = load_be<int16_t>(bytes.data());
  if (!Message::valid_versions.contains(version)) {
    return fail(fmt::format("version {} of {}", version, Message::message_name));
  }
  protocol::Reader reader(bytes.subspan(2));
  auto message = protocol::decode<Message>(reader, version);
  if (!message) return fail(fmt::format("{}: {}", Message::message_name, message.error().to_string()));
  return std::move(*message);
}

std::optional<GroupType> foreign_type(int16_t record_type) {
  if (record_type >= 3 && record_type <= 8) return GroupType::consumer;
  if (record_type == 16) return GroupType::consumer;
  if (record_type >= 9 && record_type <= 15) return GroupType::share;
  if (record_type >= 17 && record_type <= 23) return GroupType::streams;
  return std::nullopt;
}

result<ParsedRecord, std::string> parse_offset(protocol::Reader& key, std::optional<ByteView> value) {
  OffsetRecord record;
  auto decoded_key = protocol::decode<protocol::OffsetCommitKey>(key, 0);
  if (!decoded_key) return fail("offset key: " + decoded_key.error().to_string());
  record.key = {std::move(decoded_key->group), std::move(decoded_key->topic), decoded_key->partition};
  if (value) {
    MOLDAU_TRY(auto decoded, decode_value<protocol::OffsetCommitValue>(*value));
    record.offset = CommittedOffset{
        .offset = decoded.offset,
        .leader_epoch = decoded.leader_epoch,
        .metadata = std::move(decoded.metadata),
        .commit_timestamp_ms = decoded.commit_timestamp,
        .expire_timestamp_ms = decoded.expire_timestamp,
        .topic_id = decoded.topic_id,
    };
  }
  return record;
}

result<ParsedRecord, std::string> parse_group(protocol::Reader& key, std::optional<ByteView> value) {
  ClassicGroupRecord record;
  auto decoded_key = protocol::decode<protocol::GroupMetadataKey>(key, 0);
  if (!decoded_key) return fail("group key: " + decoded_key.error().to_string());
  record.group = std::move(decoded_key->group);
  if (value) {
    MOLDAU_TRY(record.value, decode_value<protocol::GroupMetadataValue>(*value));
  }
  return record;
}

}  // namespace

CoordinatorRecord offset_record(const OffsetKey& key, const CommittedOffset& offset) {
  protocol::OffsetCommitValue value;
  value.offset = offset.offset;
  value.leader_epoch = offset.leader_epoch;
  value.metadata = offset.metadata;
  value.commit_timestamp = offset.commit_timestamp_ms;
  value.expire_timestamp = offset.expire_timestamp_ms;
  value.topic_id = offset.topic_id;
  const int16_t version = offset.expire_timestamp_ms == -1 ? offset_value_version : offset_value_version_with_expiry;
  return {offset_key_bytes(key), with_prefix(version, value, version)};
}

CoordinatorRecord offset_tombstone(const OffsetKey& key) { return {offset_key_bytes(key), std::nullopt}; }

CoordinatorRecord group_record(const std::string& group_id, const ClassicGroup& group,
                               const std::map<std::string, Bytes>& assignments) {
  protocol::GroupMetadataValue value;
  value.protocol_type = group.protocol_type.value_or("");
  value.generation = group.generation;
  value.protocol = group.protocol_name;
  value.leader = group.leader;
  value.current_state_timestamp = group.state_timestamp_ms.value_or(-1);
  value.members.reserve(group.members.size());
  for (const auto& [id, member] : group.members) {
    auto& written = value.members.emplace_back();
    written.member_id = id;
    written.group_instance_id = member.instance_id;
    written.client_id = member.client_id;
    written.client_host = member.client_host;
    written.rebalance_timeout = member.rebalance_timeout_ms;
    written.session_timeout = member.session_timeout_ms;
    const Bytes* metadata = group.protocol_name ? member.metadata(*group.protocol_name) : nullptr;
    if (metadata != nullptr) written.subscription = *metadata;
    if (const auto at = assignments.find(id); at != assignments.end()) written.assignment = at->second;
  }
  return {group_key_bytes(group_id), with_prefix(group_value_version, value, group_value_version)};
}

CoordinatorRecord new_group_record(const std::string& group_id, const ClassicGroup& group) {
  protocol::GroupMetadataValue value;
  value.protocol.reset();
  value.leader.reset();
  value.current_state_timestamp = group.state_timestamp_ms.value_or(-1);
  return {group_key_bytes(group_id), with_prefix(group_value_version, value, group_value_version)};
}

CoordinatorRecord group_tombstone(const std::string& group_id) { return {group_key_bytes(group_id), std::nullopt}; }

result<ParsedRecord, std::string> parse_record(ByteView key, std::optional<ByteView> value) {
  if (key.size() < 2) return fail(std::string("a key without a record type"));
  const auto record_type = load_be<int16_t>(key.data());
  protocol::Reader rest(key.subspan(2));
  if (record_type == 0 || record_type == 1) return parse_offset(rest, value);
  if (record_type == 2) return parse_group(rest, value);
  const auto type = foreign_type(record_type);
  if (!type) return UnknownRecord{record_type};
  ForeignRecord record{.type = *type, .record_type = record_type};
  record.group = rest.string(false);
  if (rest.remaining() > 0) record.member = rest.string(false);
  if (rest.failed()) return fail(fmt::format("key of record type {}: {}", record_type, rest.error().to_string()));
  if (value) record.value = to_bytes(*value);
  return record;
}

}  // namespace moldau::groups
