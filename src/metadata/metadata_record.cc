#include "metadata/metadata_record.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace moldau::metadata {

namespace {

constexpr uint32_t frame_version = 1;

template <class Message>
result<MetadataRecord, std::string> decode_as(protocol::Reader& reader, uint32_t version) {
  if (version > static_cast<uint32_t>(Message::valid_versions.max) ||
      version < static_cast<uint32_t>(Message::valid_versions.min))
    return fail(fmt::format("{} has version {}, but this release reads {} to {}: the log was written by a newer "
                            "Kafka or Moldau",
                            Message::message_name, version, Message::valid_versions.min,
                            Message::valid_versions.max));
  auto message = protocol::decode<Message>(reader, static_cast<int16_t>(version));
  if (!message) return fail(fmt::format("{} does not parse: {}", Message::message_name, message.error().to_string()));
  if (reader.remaining() != 0)
    return fail(fmt::format("{} is followed by {} stray bytes", Message::message_name, reader.remaining()));
  return MetadataRecord{std::move(*message), static_cast<int16_t>(version)};
}

using Decoder = result<MetadataRecord, std::string> (*)(protocol::Reader&, uint32_t);
constexpr size_t highest_type = 28;

template <size_t... I>
constexpr std::array<Decoder, highest_type + 1> decoders_by_type(std::index_sequence<I...>) {
  std::array<Decoder, highest_type + 1> table{};
  ((table[std::variant_alternative_t<I, MetadataRecord::Message>::record_type] =
        &decode_as<std::variant_alternative_t<I, MetadataRecord::Message>>),
   ...);
  return table;
}
constexpr auto decoders =
    decoders_by_type(std::make_index_sequence<std::variant_size_v<MetadataRecord::Message>>());

}  // namespace

Bytes encode_record(const MetadataRecord& record) {
  protocol::Writer writer;
  std::visit(
      [&]<class Message>(const Message& message) {
        MOLDAU_ASSERT(Message::valid_versions.contains(record.version));
        writer.unsigned_varint(frame_version);
        writer.unsigned_varint(static_cast<uint32_t>(Message::record_type));
        writer.unsigned_varint(static_cast<uint32_t>(record.version));
        protocol::encode(writer, message, record.version);
      },
      record.message);
  return writer.take();
}

result<MetadataRecord, std::string> decode_record(ByteView value) {
  protocol::Reader reader(value);
  const uint32_t frame = reader.unsigned_varint();
  const uint32_t type = reader.unsigned_varint();
  const uint32_t version = reader.unsigned_varint();
  if (reader.failed()) return fail(std::string("a metadata record ends within its header"));
  if (frame != frame_version)
    return fail(fmt::format("a metadata record has frame version {}, but this release reads {}", frame, frame_version));
  if (type > highest_type || decoders[type] == nullptr)
    return fail(fmt::format("metadata record type {} is unknown here: the log was written by a newer Kafka or Moldau",
                            type));
  return decoders[type](reader, version);
}

std::string_view record_name(const MetadataRecord& record) {
  return std::visit([]<class Message>(const Message&) { return Message::message_name; }, record.message);
}

}  // namespace moldau::metadata
