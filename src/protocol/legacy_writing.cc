// Writing messages of magic 0 and 1: only compaction does, for what it leaves of a compressed one.
#include <zlib.h>

#include <algorithm>

#include "base/assert.h"
#include "protocol/compression.h"
#include "protocol/legacy_batch.h"
#include "protocol/writer.h"

namespace moldau::protocol {

namespace {

struct MessageParts {
  int8_t magic = 0;
  int8_t attributes = 0;
  Offset offset;
  int64_t timestamp_ms = no_timestamp_ms;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
};

void write_bytes_or_null(Writer& out, const std::optional<ByteView>& bytes) {
  out.int32(bytes ? static_cast<int32_t>(bytes->size()) : -1);
  if (bytes) out.raw(*bytes);
}

void append_message(Bytes& to, const MessageParts& message) {
  Writer covered;
  covered.int8(message.magic);
  covered.int8(message.attributes);
  if (message.magic == 1) covered.int64(message.timestamp_ms);
  write_bytes_or_null(covered, message.key);
  write_bytes_or_null(covered, message.value);
  const Bytes body = covered.take();
  Writer front;
  front.int64(message.offset.value());
  front.int32(static_cast<int32_t>(body.size() + sizeof(uint32_t)));
  front.uint32(static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()))));
  const Bytes head = front.take();
  to.insert(to.end(), head.begin(), head.end());
  to.insert(to.end(), body.begin(), body.end());
}

}  // namespace

void append_legacy_batch(const LegacyBatch& batch, std::span<const LegacyRecord* const> records, std::optional<int> level, Bytes& to) {
  MOLDAU_ASSERT(!records.empty() && (batch.codec != Codec::none || records.size() == 1));
  const bool has_append_time = batch.timestamp_type == TimestampType::log_append_time;
  const auto time_bit = static_cast<int8_t>(has_append_time ? log_append_time_bit : 0);
  const Offset first = records.front()->offset;
  const bool counts_from_first = batch.magic == 1 && batch.codec != Codec::none;  // magic 0 has absolute offsets inside
  Bytes inner;
  int64_t max_timestamp_ms = no_timestamp_ms;
  for (const LegacyRecord* record : records) {
    const Offset offset = counts_from_first ? Offset(record->offset - first) : record->offset;
    append_message(inner, {batch.magic, time_bit, offset, record->timestamp_ms, record->key, record->value});
    max_timestamp_ms = std::max(max_timestamp_ms, record->timestamp_ms);
  }
  if (batch.codec == Codec::none) {
    to.insert(to.end(), inner.begin(), inner.end());
    return;
  }
  const Bytes compressed = compress(batch.codec, inner, level);
  append_message(to, {batch.magic, static_cast<int8_t>(time_bit | static_cast<int8_t>(batch.codec)), records.back()->offset,
                      has_append_time ? batch.max_timestamp_ms : max_timestamp_ms, std::nullopt, ByteView(compressed)});
}

}  // namespace moldau::protocol
