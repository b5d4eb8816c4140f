#include "protocol/record.h"

#include <limits>

#include "base/assert.h"
#include "protocol/reader.h"

namespace moldau::protocol {

namespace {

BatchError malformed(std::string_view what) { return {BatchError::Reason::malformed, std::string(what)}; }

std::optional<ByteView> read_nullable(Reader& in) {
  const int32_t length = in.varint();
  if (length < 0) return std::nullopt;
  return in.take(static_cast<size_t>(length));
}

// Moves over the headers; false when one is not well formed.
bool skip_headers(Reader& in, int32_t count) {
  for (; count > 0 && !in.failed(); --count) {
    const int32_t key_length = in.varint();
    if (key_length < 0) return false;
    in.take(static_cast<size_t>(key_length));
    (void)read_nullable(in);
  }
  return !in.failed();
}

}  // namespace

result<void, BatchError> read_record(ByteView& rest, Record& record) {
  Reader prefix(rest);
  const int32_t length = prefix.varint();
  if (prefix.failed()) return fail(malformed("the batch ends where a record should begin"));
  if (length < 0 || static_cast<size_t>(length) > prefix.remaining())
    return fail(malformed("a record's length reaches beyond the batch"));

  Reader in(prefix.take(static_cast<size_t>(length)));
  in.int8();  // attributes: none are defined
  record.timestamp_delta = in.varlong();
  record.offset_delta = in.varint();
  record.key = read_nullable(in);
  record.value = read_nullable(in);
  const int32_t header_count = in.varint();
  if (in.failed()) return fail(malformed("a record's fields reach beyond its length"));
  if (header_count < 0) return fail(malformed("a record has a negative number of headers"));

  const ByteView headers = in.peek_rest();
  if (!skip_headers(in, header_count))
    return fail(malformed("a record has headers that are not well formed"));
  if (in.remaining() != 0) return fail(malformed("a record is longer than its fields"));
  record.headers = RecordHeaders(headers, static_cast<uint32_t>(header_count));
  record.size_bytes = static_cast<uint32_t>(prefix.position());
  rest = rest.subspan(prefix.position());
  return {};
}

std::vector<RecordHeader> RecordHeaders::decode() const {
  std::vector<RecordHeader> headers;
  headers.reserve(count_);
  Reader in(encoded_);
  for (uint32_t i = 0; i < count_; ++i) {
    RecordHeader& header = headers.emplace_back();
    header.key = as_text(in.take(static_cast<size_t>(in.varint())));
    header.value = read_nullable(in);
  }
  MOLDAU_ASSERT(!in.failed());
  return headers;
}

namespace {

size_t varint_size(int64_t value) {
  const uint64_t raw = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  return (static_cast<size_t>(std::bit_width(raw | 1)) + 6) / 7;
}

size_t nullable_size(std::optional<ByteView> bytes) {
  return bytes ? varint_size(static_cast<int64_t>(bytes->size())) + bytes->size() : varint_size(-1);
}

void write_nullable(Writer& writer, std::optional<ByteView> bytes) {
  writer.varint(bytes ? static_cast<int32_t>(bytes->size()) : -1);
  if (bytes) writer.raw(*bytes);
}

}  // namespace

void write_record(Writer& writer, int64_t timestamp_delta, int32_t offset_delta, std::optional<ByteView> key,
                  std::optional<ByteView> value, std::span<const RecordHeader> headers) {
  size_t size = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + nullable_size(key) +
                nullable_size(value) + varint_size(static_cast<int64_t>(headers.size()));
  for (const RecordHeader& header : headers)
    size += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
  MOLDAU_ASSERT(size <= std::numeric_limits<int32_t>::max());

  writer.varint(static_cast<int32_t>(size));
  writer.int8(0);
  writer.varlong(timestamp_delta);
  writer.varint(offset_delta);
  write_nullable(writer, key);
  write_nullable(writer, value);
  writer.varint(static_cast<int32_t>(headers.size()));
  for (const RecordHeader& header : headers) {
    write_nullable(writer, as_bytes(header.key));
    write_nullable(writer, header.value);
  }
}

}  // namespace moldau::protocol
