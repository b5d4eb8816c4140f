#include "protocol/legacy_batch.h"

#include <fmt/format.h>
#include <zlib.h>

#include "base/assert.h"
#include "protocol/codecs.h"
#include "protocol/reader.h"

namespace moldau::protocol {

namespace {

constexpr size_t crc_at = 12;
constexpr size_t magic_at = 16;
constexpr size_t timestamp_at = 18;
constexpr int8_t legacy_log_append_time_bit = 0x08;

BatchError malformed(std::string what) { return {BatchError::Reason::malformed, std::move(what)}; }

// A message by itself: what an outer batch and an inner record both are.
struct Message {
  Offset offset;
  uint32_t crc = 0;
  int8_t magic = 0;
  int8_t attributes = 0;
  int64_t timestamp_ms = no_timestamp_ms;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
};

std::optional<ByteView> read_nullable(Reader& in) {
  const int32_t length = in.int32();
  if (length < 0) return std::nullopt;
  return in.take(static_cast<size_t>(length));
}

// Bytes after the value, inside the size, are Kafka's to ignore and so ours.
result<Message, BatchError> read_message(ByteView bytes) {
  Reader in(bytes);
  Message message;
  message.offset = Offset(in.int64());
  in.int32();
  message.crc = in.uint32();
  message.magic = in.int8();
  message.attributes = in.int8();
  if (message.magic == 1) message.timestamp_ms = in.int64();
  message.key = read_nullable(in);
  message.value = read_nullable(in);
  if (in.failed()) return fail(malformed("a message's key or value reaches beyond it"));
  return message;
}

bool is_crc_right(ByteView bytes, uint32_t crc) {
  const ByteView covered = bytes.subspan(magic_at);
  return crc32(0, reinterpret_cast<const Bytef*>(covered.data()), static_cast<uInt>(covered.size())) == crc;
}

// Version 0 keeps absolute offsets inside; version 1 counts from 0 and the wrapper has the last one's offset.
void make_offsets_absolute(LegacyBatch& batch, Offset wrapper_offset) {
  if (batch.magic != 1 || batch.records.empty()) return;
  const int64_t base =
      wrapping_sum(wrapper_offset.value(), wrapping_sum(~batch.records.back().offset.value(), 1));
  for (LegacyRecord& record : batch.records)
    record.offset = Offset(wrapping_sum(base, record.offset.value()));
}

result<void, BatchError> read_inner_messages(LegacyBatch& batch, const Message& wrapper) {
  BatchCursor cursor(batch.decompressed);
  while (true) {
    MOLDAU_TRY(const auto inner, cursor.next());
    if (!inner) break;
    if (inner->magic == 2) return fail(malformed("a record batch inside a compressed message"));
    MOLDAU_TRY(const Message message, read_message(inner->bytes));
    if (codec_of_attributes(message.attributes) != Codec::none)
      return fail(malformed("a compressed message inside a compressed message"));
    const bool has_wrapper_time = batch.timestamp_type == TimestampType::log_append_time;
    batch.records.push_back({message.offset, has_wrapper_time ? wrapper.timestamp_ms : message.timestamp_ms,
                             message.key, message.value, static_cast<uint32_t>(inner->bytes.size())});
  }
  if (batch.records.empty()) return fail(malformed("a compressed message with no messages inside"));
  make_offsets_absolute(batch, wrapper.offset);
  return {};
}

}  // namespace

result<LegacyBatch, BatchError> read_legacy_batch(ByteView bytes, size_t max_bytes) {
  MOLDAU_ASSERT(bytes.size() > batch_up_to_magic_bytes && load_be<int8_t>(bytes.data() + magic_at) < 2);
  LegacyBatch batch;
  batch.magic = load_be<int8_t>(bytes.data() + magic_at);
  const auto attributes = load_be<int8_t>(bytes.data() + magic_at + 1);
  const auto codec = codec_of_attributes(attributes);
  if (!codec)
    return fail(
        BatchError{BatchError::Reason::unknown_codec, fmt::format("the unknown codec {}", attributes & 7)});
  if (*codec == Codec::zstd) return fail(malformed("zstd in a message of an old form"));
  batch.codec = *codec;
  batch.crc = load_be<uint32_t>(bytes.data() + crc_at);
  batch.is_crc_right = is_crc_right(bytes, batch.crc);
  batch.last_offset = Offset(load_be<int64_t>(bytes.data()));
  if (batch.magic == 1 && bytes.size() >= timestamp_at + sizeof(int64_t)) {
    batch.timestamp_type = (attributes & legacy_log_append_time_bit) != 0 ? TimestampType::log_append_time
                                                                          : TimestampType::create_time;
    batch.max_timestamp_ms = load_be<int64_t>(bytes.data() + timestamp_at);
  }
  const auto message = read_message(bytes);
  if (!message) {
    if (batch.codec != Codec::none) return fail(BatchError(message.error()));
    batch.records_error = message.error();
    return batch;
  }
  if (batch.codec == Codec::none) {
    batch.records.push_back({message->offset, message->timestamp_ms, message->key, message->value,
                             static_cast<uint32_t>(bytes.size())});
    return batch;
  }
  if (!message->value) return fail(malformed("a compressed message without a value"));
  const bool may_have_wrong_header = batch.codec == Codec::lz4 && batch.magic == 0;
  const Bytes fixed = may_have_wrong_header ? with_right_lz4_header(*message->value) : Bytes();
  auto inner = decompress(batch.codec, may_have_wrong_header ? ByteView(fixed) : *message->value, max_bytes);
  if (!inner) return fail(BatchError{BatchError::Reason::malformed_codec, std::string(inner.error().what)});
  batch.decompressed = std::move(*inner);
  MOLDAU_CHECK(read_inner_messages(batch, *message));
  return batch;
}

RecordBatchHeader read_header_of_any_magic(ByteView front) {
  MOLDAU_ASSERT(front.size() >= timestamp_at);
  const auto magic = load_be<int8_t>(front.data() + magic_at);
  if (magic >= 2) return read_batch_header(front);
  RecordBatchHeader header;
  header.base_offset = Offset(load_be<int64_t>(front.data()));
  header.length = load_be<int32_t>(front.data() + 8);
  header.magic = magic;
  header.crc = load_be<uint32_t>(front.data() + crc_at);
  // The bits of codec and timestamp type stand where they do in magic 2; the others mean nothing.
  const auto attributes = load_be<int8_t>(front.data() + magic_at + 1);
  header.attributes = static_cast<int16_t>(attributes & (magic == 0 ? codec_mask : codec_mask | log_append_time_bit));
  if (magic == 1 && front.size() >= timestamp_at + sizeof(int64_t))
    header.base_timestamp_ms = header.max_timestamp_ms = load_be<int64_t>(front.data() + timestamp_at);
  return header;
}

bool is_crc_right_in_any_magic(ByteView batch) {
  if (load_be<int8_t>(batch.data() + magic_at) >= 2) return is_batch_crc_right(batch);
  return is_crc_right(batch, load_be<uint32_t>(batch.data() + crc_at));
}

result<Offset, BatchError> first_offset_in_any_magic(ByteView batch) {
  const RecordBatchHeader header = read_header_of_any_magic(batch);
  if (header.magic >= 2 || header.codec() == Codec::none) return header.base_offset;
  MOLDAU_TRY(const LegacyBatch read, read_legacy_batch(batch));
  return read.base_offset();
}

}  // namespace moldau::protocol
