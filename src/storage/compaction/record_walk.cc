#include "storage/compaction/record_walk.h"

#include <string>
#include <string_view>

#include "protocol/reader.h"

namespace moldau::storage {

using protocol::BatchError;
using protocol::Reader;

namespace {

BatchError malformed(std::string_view what) { return {BatchError::Reason::malformed, std::string(what)}; }

// A number as records hold it: zigzag, seven bits a byte. Gives the bytes used.
size_t encode_varlong(int64_t value, std::byte* to) {
  uint64_t raw = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  size_t size = 0;
  for (; raw >= 0x80; raw >>= 7) to[size++] = static_cast<std::byte>(raw | 0x80);
  to[size++] = static_cast<std::byte>(raw);
  return size;
}

}  // namespace

result<WalkedRecord, BatchError> walk_record(ByteView& rest) {
  Reader prefix(rest);
  const int32_t length = prefix.varint();
  if (prefix.failed() || length < 0 || static_cast<size_t>(length) > prefix.remaining())
    return fail(malformed("a record's length reaches beyond the batch"));
  Reader in(prefix.take(static_cast<size_t>(length)));
  WalkedRecord record;
  in.int8();  // attributes: none are defined
  record.timestamp_delta = in.varlong();
  record.behind_timestamp = in.peek_rest();
  record.offset_delta = in.varint();
  const int32_t key_length = in.varint();
  if (key_length >= 0) record.key = in.take(static_cast<size_t>(key_length));
  const int32_t value_length = in.varint();
  if (value_length >= 0) {
    record.has_value = true;
    in.take(static_cast<size_t>(value_length));
  }
  if (in.failed()) return fail(malformed("a record's fields reach beyond its length"));
  record.whole = rest.first(prefix.position());
  rest = rest.subspan(prefix.position());
  return record;
}

void append_walked(Bytes& to, const WalkedRecord& record, int64_t timestamp_delta) {
  const auto append = [&to](ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); };
  if (timestamp_delta == record.timestamp_delta) return append(record.whole);
  constexpr size_t longest_varlong = 10;
  std::byte delta[longest_varlong];
  std::byte front[2 * longest_varlong + 1];
  const size_t delta_size = encode_varlong(timestamp_delta, delta);
  size_t size = encode_varlong(static_cast<int64_t>(1 + delta_size + record.behind_timestamp.size()), front);
  front[size++] = std::byte{0};  // attributes
  std::memcpy(front + size, delta, delta_size);
  append(ByteView(front, size + delta_size));
  append(record.behind_timestamp);
}

}  // namespace moldau::storage
