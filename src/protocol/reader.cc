#include "protocol/reader.h"

#include <fmt/format.h>

namespace moldau::protocol {

namespace {

constexpr int32_t string_max_bytes = 0x7fff;

}  // namespace

std::string DecodeError::to_string() const {
  switch (reason) {
    case Reason::truncated: return fmt::format("at byte {}: the bytes end where {} more are needed", position, value);
    case Reason::null_not_allowed: return fmt::format("at byte {}: null where a value is needed", position);
    case Reason::length_too_large: return fmt::format("at byte {}: a length of {} is too large", position, value);
    case Reason::count_too_large:
      return fmt::format("at byte {}: a count of {} is more than the remaining bytes can hold", position, value);
    case Reason::varint_too_long: return fmt::format("at byte {}: a varint that does not end", position);
    case Reason::tagged_field_size:
      return fmt::format("at byte {}: a tagged field is not the {} bytes long that it states", position, value);
    case Reason::unsupported_version: return fmt::format("version {} is not supported", value);
    case Reason::malformed: return fmt::format("at byte {}: malformed", position);
  }
  return "malformed";
}

void Reader::fail(DecodeError::Reason reason, int64_t value) {
  if (failed_) return;
  failed_ = true;
  error_ = DecodeError{reason, position(), value};
  at_ = end_;
}

ByteView Reader::take(size_t count) {
  if (remaining() < count) [[unlikely]] {
    fail(DecodeError::Reason::truncated, static_cast<int64_t>(count));
    return {};
  }
  const ByteView taken(at_, count);
  at_ += count;
  return taken;
}

Uuid Reader::uuid() {
  const int64_t most = int64();
  const int64_t least = int64();
  return {most, least};
}

uint32_t Reader::long_unsigned_varint() {
  uint32_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const uint32_t byte = number<uint8_t>();
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail(DecodeError::Reason::varint_too_long);
  return 0;
}

uint64_t Reader::long_unsigned_varlong() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const uint64_t byte = number<uint8_t>();
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail(DecodeError::Reason::varint_too_long);
  return 0;
}

std::optional<ByteView> Reader::sized_bytes(int32_t length, bool nullable) {
  if (length < 0) {
    if (!nullable) fail(DecodeError::Reason::null_not_allowed);
    return std::nullopt;
  }
  return take(static_cast<size_t>(length));
}

std::optional<ByteView> Reader::string_bytes(bool compact, bool nullable) {
  const int32_t length = compact ? compact_length() : int16();
  if (length > string_max_bytes) {
    fail(DecodeError::Reason::length_too_large, length);
    return std::nullopt;
  }
  return sized_bytes(length, nullable);
}

std::string Reader::string(bool compact) {
  const auto view = string_bytes(compact, false);
  return view ? std::string(as_text(*view)) : std::string();
}

std::optional<std::string> Reader::nullable_string(bool compact, bool nullable) {
  const auto view = string_bytes(compact, nullable);
  if (!view) return std::nullopt;
  return std::string(as_text(*view));
}

Bytes Reader::bytes(bool compact) {
  const auto view = sized_bytes(compact ? compact_length() : int32(), false);
  return view ? to_bytes(*view) : Bytes();
}

std::optional<Bytes> Reader::nullable_bytes(bool compact, bool nullable) {
  const auto view = sized_bytes(compact ? compact_length() : int32(), nullable);
  if (!view) return std::nullopt;
  return to_bytes(*view);
}

Records Reader::records(bool compact, bool nullable) {
  const auto view = sized_bytes(compact ? compact_length() : int32(), nullable);
  return view ? Records(*view) : Records();
}

std::optional<uint32_t> Reader::array_count(bool compact, bool nullable, size_t smallest_element) {
  const int32_t count = compact ? compact_length() : int32();
  if (count < 0) {
    if (!nullable) fail(DecodeError::Reason::null_not_allowed);
    return std::nullopt;
  }
  if (static_cast<size_t>(count) > remaining() / smallest_element) {
    fail(DecodeError::Reason::count_too_large, count);
    return std::nullopt;
  }
  return static_cast<uint32_t>(count);
}

uint32_t Reader::tagged_field_count() {
  const uint32_t count = unsigned_varint();
  if (count > remaining() / 2) {
    fail(DecodeError::Reason::count_too_large, count);
    return 0;
  }
  return count;
}

Reader::TaggedFieldStart Reader::begin_tagged_field() {
  TaggedFieldStart start;
  start.tag = unsigned_varint();
  start.size_bytes = unsigned_varint();
  if (start.size_bytes > remaining()) fail(DecodeError::Reason::truncated, start.size_bytes);
  start.end = position() + start.size_bytes;
  return start;
}

void Reader::unknown_tagged_field(TaggedFieldStart start, std::vector<TaggedField>& kept) {
  const ByteView data = take(start.size_bytes);
  if (!failed_) kept.push_back({start.tag, to_bytes(data)});
}

void Reader::end_tagged_field(TaggedFieldStart start) {
  if (!failed_ && position() != start.end) fail(DecodeError::Reason::tagged_field_size, start.size_bytes);
}

void Reader::unknown_tagged_fields(std::vector<TaggedField>& kept) {
  for (uint32_t left = tagged_field_count(); left > 0 && !failed_; --left)
    unknown_tagged_field(begin_tagged_field(), kept);
}

}  // namespace moldau::protocol
