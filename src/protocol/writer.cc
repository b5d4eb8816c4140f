#include "protocol/writer.h"

#include <algorithm>

#include "base/assert.h"

namespace moldau::protocol {

namespace {

size_t varint_size(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

void store_varint(std::byte* to, uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  *to = static_cast<std::byte>(value);
}

}  // namespace

Writer Writer::counting() {
  Writer writer;
  writer.is_counting_ = true;
  return writer;
}

void Writer::enlarge(size_t count) {
  buffer_.resize(std::max<size_t>({size_ + count, buffer_.size() * 2, 256}));
  use_capacity();
}

Bytes Writer::take() {
  buffer_.resize(size_);
  size_ = 0;
  return std::move(buffer_);
}

void Writer::unsigned_varlong(uint64_t value) {
  if (std::byte* to = grow(varint_size(value))) store_varint(to, value);
}

void Writer::varint(int32_t value) {
  unsigned_varlong((static_cast<uint32_t>(value) << 1) ^ static_cast<uint32_t>(value >> 31));
}

void Writer::varlong(int64_t value) {
  unsigned_varlong((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void Writer::raw(ByteView data) {
  if (data.empty()) return;
  if (std::byte* to = grow(data.size())) std::memcpy(to, data.data(), data.size());
}

void Writer::length(size_t count, bool compact) {
  MOLDAU_ASSERT(count < 0x7fffffff);
  if (compact) {
    unsigned_varlong(count + 1);
  } else {
    int32(static_cast<int32_t>(count));
  }
}

void Writer::string(std::string_view text, bool compact) {
  MOLDAU_ASSERT_MSG(text.size() <= 0x7fff, "a string of the protocol is at most 32767 bytes long");
  if (compact) {
    unsigned_varlong(text.size() + 1);
  } else {
    int16(static_cast<int16_t>(text.size()));
  }
  raw(as_bytes(text));
}

void Writer::nullable_string(const std::optional<std::string>& text, bool compact, bool nullable) {
  if (text || !nullable) return string(text ? std::string_view(*text) : std::string_view(), compact);
  if (compact) {
    unsigned_varlong(0);
  } else {
    int16(-1);
  }
}

void Writer::bytes(ByteView data, bool compact) {
  length(data.size(), compact);
  raw(data);
}

void Writer::nullable_bytes(const std::optional<Bytes>& data, bool compact, bool nullable) {
  if (data || !nullable) return bytes(data ? ByteView(*data) : ByteView(), compact);
  null_array(compact, true);
}

void Writer::records(const Records& records, bool compact, bool nullable) {
  if (records.is_null && nullable) return null_array(compact, true);
  length(records.size(), compact);
  raw(records.bytes);
  if (records.deferred_bytes == 0) return;
  splices_.push_back({size_, records.deferred_bytes});
  deferred_bytes_ += records.deferred_bytes;
}

void Writer::array_count(size_t count, bool compact) { length(count, compact); }

void Writer::null_array(bool compact, bool nullable) {
  if (!nullable) return length(0, compact);
  if (compact) {
    unsigned_varlong(0);
  } else {
    int32(-1);
  }
}

void Writer::unknown_tagged_fields(const std::vector<TaggedField>& fields) {
  TaggedFieldMerge merge(*this, fields);
  merge.begin(0);
  merge.finish();
}

size_t Writer::skip(size_t count) {
  const size_t position = size_;
  if (std::byte* to = grow(count)) std::fill_n(to, count, std::byte{0});
  return position;
}

void Writer::patch_int32(size_t position, int32_t value) {
  MOLDAU_ASSERT(position + sizeof value <= size_);
  if (!is_counting_) store_be(buffer_.data() + position, value);
}

void Writer::insert_size(size_t position) {
  MOLDAU_ASSERT_MSG(splices_.empty() || splices_.back().position <= position, "no records in tagged fields");
  const size_t written = size_ - position;
  const size_t prefix = varint_size(written);
  if (grow(prefix) == nullptr) return;
  std::byte* start = buffer_.data() + position;
  std::memmove(start + prefix, start, written);
  store_varint(start, written);
}

size_t TaggedFieldMerge::begin_field(uint32_t tag) {
  while (next_unknown_ < unknown_.size() && unknown_[next_unknown_].tag < tag) write_next_unknown();
  writer_.unsigned_varint(tag);
  return writer_.size();
}

void TaggedFieldMerge::finish() {
  while (next_unknown_ < unknown_.size()) write_next_unknown();
}

void TaggedFieldMerge::write_next_unknown() {
  const TaggedField& field = unknown_[next_unknown_++];
  writer_.unsigned_varint(field.tag);
  writer_.unsigned_varlong(field.data.size());
  writer_.raw(field.data);
}

}  // namespace moldau::protocol
