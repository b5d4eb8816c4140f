// Reads Kafka's primitive types from bytes that may be hostile, and messages built of them.
//
// The first thing wrong makes the reader fail for good: every later read gives zero or nothing, so that generated code
// need not check each field. Ask failed() at the end. A count is believed only as far as the bytes that remain could
// hold that many elements, so memory stays in proportion to the frame. Strings and byte arrays are copied; records are
// views into the bytes, which must outlive them.
//
// Accepted because Kafka accepts it: any negative length for null, any non-zero byte for true, superfluous bits in the
// last byte of a varint, tagged fields in any order, bytes after the message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "protocol/message.h"

namespace moldau::protocol {

struct DecodeError {
  enum class Reason : uint8_t {
    truncated,            // value: bytes wanted beyond what is there
    null_not_allowed,     // a negative length where the version has no null
    length_too_large,     // value: the length
    count_too_large,      // value: the count, more than the rest of the bytes can hold
    varint_too_long,      // more than 5 bytes, or 10 of a 64-bit number
    tagged_field_size,    // value: the stated size of a known tagged field, which it does not have
    unsupported_version,  // value: the version
    malformed,            // anything that a particular format says of itself
  };
  Reason reason = Reason::malformed;
  size_t position = 0;  // where in the bytes
  int64_t value = 0;

  [[nodiscard]] std::string to_string() const;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  bool boolean() { return number<uint8_t>() != 0; }
  int8_t int8() { return number<int8_t>(); }
  int16_t int16() { return number<int16_t>(); }
  uint16_t uint16() { return number<uint16_t>(); }
  int32_t int32() { return number<int32_t>(); }
  uint32_t uint32() { return number<uint32_t>(); }
  int64_t int64() { return number<int64_t>(); }
  double float64() { return std::bit_cast<double>(number<uint64_t>()); }
  Uuid uuid();

  uint32_t unsigned_varint() {
    if (at_ != end_ && *at_ < std::byte{0x80}) [[likely]] return std::to_integer<uint32_t>(*at_++);
    return long_unsigned_varint();
  }
  uint64_t unsigned_varlong() {
    if (at_ != end_ && *at_ < std::byte{0x80}) [[likely]] return std::to_integer<uint64_t>(*at_++);
    return long_unsigned_varlong();
  }
  int32_t varint() {  // zigzag, as in records
    const uint32_t raw = unsigned_varint();
    return static_cast<int32_t>((raw >> 1) ^ (0U - (raw & 1)));
  }
  int64_t varlong() {
    const uint64_t raw = unsigned_varlong();
    return static_cast<int64_t>((raw >> 1) ^ (uint64_t{0} - (raw & 1)));
  }

  // `compact`: the length is a varint and one more than it is (KIP-482).
  std::string string(bool compact);
  std::optional<std::string> nullable_string(bool compact, bool nullable);
  Bytes bytes(bool compact);
  std::optional<Bytes> nullable_bytes(bool compact, bool nullable);
  Records records(bool compact, bool nullable);
  bool is_struct_present() { return int8() >= 0; }

  // The number of elements to come, null for a null array.
  std::optional<uint32_t> array_count(bool compact, bool nullable, size_t smallest_element);

  // Tagged fields: how many; then for each, begin, read or keep it, end.
  struct TaggedFieldStart {
    uint32_t tag = 0;
    uint32_t size_bytes = 0;
    size_t end = 0;
  };
  uint32_t tagged_field_count();
  TaggedFieldStart begin_tagged_field();
  void unknown_tagged_field(TaggedFieldStart start, std::vector<TaggedField>& kept);
  void end_tagged_field(TaggedFieldStart start);
  void unknown_tagged_fields(std::vector<TaggedField>& kept);

  // The next `count` bytes as a view; nothing when there are fewer.
  ByteView take(size_t count);
  ByteView rest() { return take(remaining()); }
  [[nodiscard]] ByteView peek_rest() const { return {at_, end_}; }

  void fail(DecodeError::Reason reason, int64_t value = 0);
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const DecodeError& error() const { return error_; }
  [[nodiscard]] size_t position() const { return static_cast<size_t>(at_ - begin_); }
  [[nodiscard]] size_t remaining() const { return static_cast<size_t>(end_ - at_); }

 private:
  template <class Number>
  Number number() {
    if (remaining() < sizeof(Number)) [[unlikely]] {
      fail(DecodeError::Reason::truncated, static_cast<int64_t>(sizeof(Number)));
      return 0;
    }
    const Number value = load_be<Number>(at_);
    at_ += sizeof(Number);
    return value;
  }
  uint32_t long_unsigned_varint();
  uint64_t long_unsigned_varlong();
  int32_t compact_length() { return static_cast<int32_t>(unsigned_varint() - 1); }
  std::optional<ByteView> sized_bytes(int32_t length, bool nullable);
  std::optional<ByteView> string_bytes(bool compact, bool nullable);

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  bool failed_ = false;
  DecodeError error_;
};

// A vector grows by what was read, not by what was promised, beyond this many bytes.
inline constexpr size_t array_first_reserve_bytes = 16 * 1024;

template <class Element, class ReadElement>
void read_elements(Reader& reader, std::vector<Element>& out, uint32_t count, ReadElement read_element) {
  out.clear();
  out.reserve(std::min<size_t>(count, array_first_reserve_bytes / sizeof(Element) + 1));
  for (; count > 0 && !reader.failed(); --count) read_element(out.emplace_back());
}

template <class Element, class ReadElement>
void read_array(Reader& reader, std::vector<Element>& out, bool compact, size_t smallest_element,
                ReadElement read_element) {
  if (const auto count = reader.array_count(compact, false, smallest_element))
    read_elements(reader, out, *count, read_element);
}

template <class Element, class ReadElement>
void read_nullable_array(Reader& reader, std::optional<std::vector<Element>>& out, bool compact, bool nullable,
                         size_t smallest_element, ReadElement read_element) {
  const auto count = reader.array_count(compact, nullable, smallest_element);
  if (count) {
    read_elements(reader, out.emplace(), *count, read_element);
  } else {
    out.reset();
  }
}

// Decodes a message's body; bytes after it are left in the reader. A version that the message does not have is an
// error.
template <class Message>
[[nodiscard]] result<Message, DecodeError> decode(Reader& reader, int16_t version) {
  if (!Message::valid_versions.contains(version)) reader.fail(DecodeError::Reason::unsupported_version, version);
  result<Message, DecodeError> message;
  if (!reader.failed()) read(reader, *message, version);
  if (reader.failed()) return fail(DecodeError(reader.error()));
  return message;
}

template <class Message>
[[nodiscard]] result<Message, DecodeError> decode(ByteView bytes, int16_t version) {
  Reader reader(bytes);
  return decode<Message>(reader, version);
}

}  // namespace moldau::protocol
