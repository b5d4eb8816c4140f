// Writes Kafka's primitive types, and messages built of them, into a buffer that it owns.
//
// A null where the version knows no null is written as empty. Records may be left out of the buffer: their length is
// written and the place noted in splices(), for a sender that takes the bytes from a file. A counting writer stores
// nothing and only adds up.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "protocol/message.h"

namespace moldau::protocol {

class Writer {
 public:
  Writer() = default;
  // Appends to what `buffer` holds and keeps its capacity.
  explicit Writer(Bytes buffer) : buffer_(std::move(buffer)), size_(buffer_.size()) { use_capacity(); }
  [[nodiscard]] static Writer counting();

  void boolean(bool value) { number<uint8_t>(value ? 1 : 0); }
  void int8(int8_t value) { number(value); }
  void int16(int16_t value) { number(value); }
  void uint16(uint16_t value) { number(value); }
  void int32(int32_t value) { number(value); }
  void uint32(uint32_t value) { number(value); }
  void int64(int64_t value) { number(value); }
  void float64(double value) { number(std::bit_cast<uint64_t>(value)); }
  void uuid(Uuid value) {
    number(value.most_significant);
    number(value.least_significant);
  }

  void unsigned_varint(uint32_t value) { unsigned_varlong(value); }
  void unsigned_varlong(uint64_t value);
  void varint(int32_t value);  // zigzag, as in records
  void varlong(int64_t value);

  // `compact`: the length is a varint and one more than it is (KIP-482).
  void string(std::string_view text, bool compact);
  void nullable_string(const std::optional<std::string>& text, bool compact, bool nullable);
  void bytes(ByteView data, bool compact);
  void nullable_bytes(const std::optional<Bytes>& data, bool compact, bool nullable);
  void records(const Records& records, bool compact, bool nullable);
  void struct_presence(bool is_present) { int8(is_present ? 1 : -1); }
  void array_count(size_t count, bool compact);
  void null_array(bool compact, bool nullable);
  void unknown_tagged_fields(const std::vector<TaggedField>& fields);

  void raw(ByteView data);

  // Leaves `count` bytes to be filled by a patch, and says where they are.
  size_t skip(size_t count);
  void patch_int32(size_t position, int32_t value);
  // Puts the number of bytes written since `position`, as a varint, before them.
  void insert_size(size_t position);

  // A place in the buffer where `bytes` bytes are still to be put by whoever sends it.
  struct Splice {
    size_t position = 0;
    uint32_t bytes = 0;
  };
  [[nodiscard]] const std::vector<Splice>& splices() const { return splices_; }
  [[nodiscard]] size_t size() const { return size_; }          // of the buffer
  [[nodiscard]] size_t total_size() const { return size_ + deferred_bytes_; }  // with what is spliced in
  [[nodiscard]] ByteView view() const { return ByteView(buffer_).first(size_); }
  [[nodiscard]] Bytes take();

 private:
  template <class Number>
  void number(Number value) {
    if (std::byte* to = grow(sizeof value)) store_be(to, value);
  }
  // Room for `count` more bytes, counted as written; null in a counting writer.
  std::byte* grow(size_t count) {
    if (is_counting_) [[unlikely]] {
      size_ += count;
      return nullptr;
    }
    if (buffer_.size() - size_ < count) [[unlikely]] enlarge(count);
    std::byte* to = buffer_.data() + size_;
    size_ += count;
    return to;
  }
  void enlarge(size_t count);
  void use_capacity() { buffer_.resize(buffer_.capacity()); }
  void length(size_t count, bool compact);

  Bytes buffer_;     // as large as what was allocated; size_ of it are written
  size_t size_ = 0;
  size_t deferred_bytes_ = 0;
  bool is_counting_ = false;
  std::vector<Splice> splices_;
};

// Writes a struct's tagged fields in the order of their tags: those that the version knows, and between them those that
// were kept as unknown.
class TaggedFieldMerge {
 public:
  TaggedFieldMerge(Writer& writer, const std::vector<TaggedField>& unknown) : writer_(writer), unknown_(unknown) {}
  void begin(int known_count) {
    writer_.unsigned_varint(static_cast<uint32_t>(static_cast<size_t>(known_count) + unknown_.size()));
  }
  [[nodiscard]] size_t begin_field(uint32_t tag);
  void end_field(size_t start) { writer_.insert_size(start); }
  void finish();

 private:
  void write_next_unknown();

  Writer& writer_;
  const std::vector<TaggedField>& unknown_;
  size_t next_unknown_ = 0;
};

template <class Element, class WriteElement>
void write_array(Writer& writer, const std::vector<Element>& elements, bool compact, WriteElement write_element) {
  writer.array_count(elements.size(), compact);
  for (const Element& element : elements) write_element(element);
}

template <class Element, class WriteElement>
void write_nullable_array(Writer& writer, const std::optional<std::vector<Element>>& elements, bool compact,
                          bool nullable, WriteElement write_element) {
  if (elements) {
    write_array(writer, *elements, compact, write_element);
  } else {
    writer.null_array(compact, nullable);
  }
}

// Appends the message's body as `version` has it. The version must be one of the message's: fields that it lacks are
// left out.
template <class Message>
void encode(Writer& writer, const Message& message, int16_t version) {
  write(writer, message, version);
}

// The bytes that encode() would write, with deferred records.
template <class Message>
[[nodiscard]] size_t encoded_size(const Message& message, int16_t version) {
  Writer writer = Writer::counting();
  write(writer, message, version);
  return writer.total_size();
}

template <class Message>
[[nodiscard]] Bytes encode_to_bytes(const Message& message, int16_t version) {
  Writer writer;
  write(writer, message, version);
  return writer.take();
}

}  // namespace moldau::protocol
