// For tests: messages of magic 0 and 1, as Kafkas before 0.11 wrote them.
#pragma once

#include <zlib.h>

#include <optional>

#include "base/bytes.h"
#include "protocol/compression.h"
#include "protocol/writer.h"

namespace moldau::storage::test {

struct LegacyMessage {
  int8_t magic = 1;
  int64_t offset = 0;
  int64_t timestamp_ms = 0;  // of magic 1
  std::optional<std::string_view> value = "value";
  int8_t attributes = 0;
  std::optional<std::string_view> key = std::nullopt;
};

inline Bytes encode(const LegacyMessage& message, std::optional<ByteView> value) {
  const auto write = [](protocol::Writer& to, std::optional<ByteView> bytes) {
    to.int32(bytes ? static_cast<int32_t>(bytes->size()) : -1);
    if (bytes) to.raw(*bytes);
  };
  protocol::Writer covered;
  covered.int8(message.magic);
  covered.int8(message.attributes);
  if (message.magic == 1) covered.int64(message.timestamp_ms);
  write(covered, message.key ? std::optional(as_bytes(*message.key)) : std::nullopt);
  write(covered, value);
  const Bytes body = covered.take();
  protocol::Writer whole;
  whole.int64(message.offset);
  whole.int32(static_cast<int32_t>(body.size() + 4));
  whole.uint32(static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()))));
  whole.raw(body);
  return whole.take();
}
inline Bytes encode(const LegacyMessage& message) {
  return encode(message, message.value ? std::optional(as_bytes(*message.value)) : std::nullopt);
}

// One compressed message around others. Of magic 1 the inner offsets count from 0.
inline Bytes encode_compressed(protocol::Codec codec, int8_t magic, std::span<const LegacyMessage> messages) {
  Bytes inner;
  LegacyMessage wrapper{.magic = magic, .attributes = static_cast<int8_t>(codec)};
  for (LegacyMessage message : messages) {
    message.magic = magic;
    wrapper.offset = message.offset;
    wrapper.timestamp_ms = std::max(wrapper.timestamp_ms, message.timestamp_ms);
    if (magic == 1) message.offset -= messages.front().offset;
    const Bytes encoded = encode(message);
    inner.insert(inner.end(), encoded.begin(), encoded.end());
  }
  return encode(wrapper, ByteView(protocol::compress(codec, inner)));
}

}  // namespace moldau::storage::test
