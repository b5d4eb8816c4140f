#include "raft/metadata_batch.h"

#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace moldau::raft {

namespace {

constexpr size_t length_at = 8;
constexpr size_t epoch_at = 12;
constexpr size_t magic_at = 16;
constexpr size_t crc_at = 17;
constexpr size_t attributes_at = 21;
constexpr size_t last_offset_delta_at = 23;
constexpr size_t max_timestamp_at = 35;
constexpr size_t count_at = 57;
constexpr size_t header_bytes = 61;
constexpr size_t smallest_record_bytes = 7;
constexpr int16_t control_attribute = 0x20;
constexpr int16_t codec_mask = 0x07;

enum ControlType : int16_t {
  leader_change = 2,
  snapshot_header = 3,
  snapshot_footer = 4,
  kraft_version = 5,
  kraft_voters = 6,
};

struct KeyAndValue {
  Bytes key;
  bool has_key = false;
  ByteView value;
};

void write_record(protocol::Writer& writer, int32_t offset_delta, const KeyAndValue& record) {
  protocol::Writer body;
  body.int8(0);
  body.varlong(0);
  body.varint(offset_delta);
  body.varint(record.has_key ? static_cast<int32_t>(record.key.size()) : -1);
  body.raw(record.key);
  body.varint(static_cast<int32_t>(record.value.size()));
  body.raw(record.value);
  body.varint(0);
  writer.varint(static_cast<int32_t>(body.size()));
  writer.raw(body.view());
}

Bytes write_batch(Offset base_offset, LeaderEpoch epoch, int64_t timestamp_ms, bool is_control,
                  std::span<const KeyAndValue> records) {
  MOLDAU_ASSERT(!records.empty());
  protocol::Writer writer;
  writer.int64(base_offset.value());
  writer.int32(0);
  writer.int32(epoch.value());
  writer.int8(2);
  writer.uint32(0);
  writer.int16(is_control ? control_attribute : int16_t{0});
  writer.int32(static_cast<int32_t>(records.size()) - 1);
  writer.int64(timestamp_ms);
  writer.int64(timestamp_ms);
  writer.int64(-1);
  writer.int16(-1);
  writer.int32(-1);
  writer.int32(static_cast<int32_t>(records.size()));
  for (size_t i = 0; i < records.size(); ++i) write_record(writer, static_cast<int32_t>(i), records[i]);
  Bytes batch = writer.take();
  store_be<int32_t>(batch.data() + length_at, static_cast<int32_t>(batch.size() - epoch_at));
  store_be<uint32_t>(batch.data() + crc_at, crc32c(ByteView(batch).subspan(attributes_at)));
  return batch;
}

ControlType type_of(const ControlRecord& record) {
  constexpr ControlType by_index[] = {leader_change, snapshot_header, snapshot_footer, kraft_version, kraft_voters};
  return by_index[record.index()];
}

// Records with types that this release does not know are of no consequence to it (KIP-595).
result<void, std::string> read_control_record(ByteView key, ByteView value, std::vector<ControlRecord>& out) {
  protocol::Reader key_reader(key);
  key_reader.int16();
  const int16_t type = key_reader.int16();
  if (key_reader.failed()) return fail(std::string("a control record has a short key"));
  const auto decode = [&]<class Message>(Message*) -> result<void, std::string> {
    auto message = protocol::decode<Message>(value, Message::valid_versions.min);
    // Every one of these begins with its version.
    const int16_t version = message ? message->version : int16_t{-1};
    if (message && version != Message::valid_versions.min) message = protocol::decode<Message>(value, version);
    if (!message)
      return fail(fmt::format("a {} control record does not parse: {}", Message::message_name,
                              message.error().to_string()));
    out.push_back(std::move(*message));
    return {};
  };
  switch (type) {
    case leader_change: return decode(static_cast<protocol::LeaderChangeMessage*>(nullptr));
    case snapshot_header: return decode(static_cast<protocol::SnapshotHeaderRecord*>(nullptr));
    case snapshot_footer: return decode(static_cast<protocol::SnapshotFooterRecord*>(nullptr));
    case kraft_version: return decode(static_cast<protocol::KRaftVersionRecord*>(nullptr));
    case kraft_voters: return decode(static_cast<protocol::VotersRecord*>(nullptr));
    default: return {};
  }
}

result<MetadataBatch, std::string> read_batch(ByteView bytes) {
  const std::byte* at = bytes.data();
  MetadataBatch batch;
  batch.base_offset = Offset(load_be<int64_t>(at));
  batch.epoch = LeaderEpoch(load_be<int32_t>(at + epoch_at));
  batch.size_bytes = static_cast<uint32_t>(bytes.size());
  if (const auto magic = load_be<int8_t>(at + magic_at); magic != 2)
    return fail(fmt::format("has magic {}, not 2", magic));
  if (load_be<uint32_t>(at + crc_at) != crc32c(bytes.subspan(attributes_at))) return fail(std::string("has a wrong CRC"));
  const auto attributes = load_be<int16_t>(at + attributes_at);
  if ((attributes & codec_mask) != 0) return fail(std::string("is compressed, which metadata never is"));
  batch.is_control = (attributes & control_attribute) != 0;
  batch.timestamp_ms = load_be<int64_t>(at + max_timestamp_at);
  batch.record_count = load_be<int32_t>(at + count_at);
  if (batch.base_offset.value() < 0 || batch.record_count <= 0 ||
      load_be<int32_t>(at + last_offset_delta_at) != batch.record_count - 1 ||
      static_cast<size_t>(batch.record_count) > (bytes.size() - header_bytes) / smallest_record_bytes)
    return fail(fmt::format("states offset {} and {} records", batch.base_offset, batch.record_count));

  protocol::Reader reader(bytes.subspan(header_bytes));
  for (int32_t i = 0; i < batch.record_count; ++i) {
    const int32_t length = reader.varint();
    if (length < 0 || static_cast<size_t>(length) > reader.remaining())
      return fail(fmt::format("has record {} with length {}", i, length));
    protocol::Reader record(reader.take(static_cast<size_t>(length)));
    record.int8();
    record.varlong();
    if (const int32_t delta = record.varint(); delta != i)
      return fail(fmt::format("has record {} with offset delta {}", i, delta));
    const int32_t key_length = record.varint();
    const ByteView key = key_length > 0 ? record.take(static_cast<size_t>(key_length)) : ByteView{};
    const int32_t value_length = record.varint();
    const ByteView value = value_length > 0 ? record.take(static_cast<size_t>(value_length)) : ByteView{};
    if (record.varint() != 0 || record.failed() || record.remaining() != 0)
      return fail(fmt::format("has a malformed record {}", i));
    if (batch.is_control) {
      if (auto read = read_control_record(key, value, batch.control); !read) return fail(read.error());
    } else {
      batch.data.push_back(to_bytes(value));
    }
  }
  if (reader.failed() || reader.remaining() != 0) return fail(std::string("has bytes after its records"));
  return batch;
}

}  // namespace

Bytes write_data_batch(Offset base_offset, LeaderEpoch epoch, int64_t timestamp_ms, std::span<const Bytes> values) {
  std::vector<KeyAndValue> records;
  records.reserve(values.size());
  for (const Bytes& value : values) records.push_back({{}, false, value});
  return write_batch(base_offset, epoch, timestamp_ms, false, records);
}

Bytes write_control_batch(Offset base_offset, LeaderEpoch epoch, int64_t timestamp_ms,
                          std::span<const ControlRecord> records) {
  std::vector<Bytes> values;
  for (const ControlRecord& record : records)
    values.push_back(std::visit(
        [](const auto& message) { return protocol::encode_to_bytes(message, message.version); }, record));
  std::vector<KeyAndValue> entries;
  for (size_t i = 0; i < records.size(); ++i) {
    protocol::Writer key;
    key.int16(0);
    key.int16(type_of(records[i]));
    entries.push_back({key.take(), true, values[i]});
  }
  return write_batch(base_offset, epoch, timestamp_ms, true, entries);
}

result<BatchesRead, std::string> read_batches(ByteView bytes) {
  BatchesRead read;
  while (bytes.size() - read.valid_bytes >= header_bytes) {
    const ByteView rest = bytes.subspan(read.valid_bytes);
    const auto length = load_be<int32_t>(rest.data() + length_at);
    if (length < static_cast<int32_t>(header_bytes - epoch_at))
      return fail(fmt::format("the batch at position {} states a length of {}", read.valid_bytes, length));
    const size_t size = static_cast<size_t>(length) + epoch_at;
    if (size > rest.size()) break;
    auto batch = read_batch(rest.first(size));
    if (!batch) return fail(fmt::format("the batch at position {} {}", read.valid_bytes, batch.error()));
    read.batches.push_back(std::move(*batch));
    read.valid_bytes += size;
  }
  return read;
}

}  // namespace moldau::raft
