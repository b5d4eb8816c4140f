// The records payload of Produce, Fetch and their kin: whole record batches as bytes that the codec does not look into.
//
// Decoded, it is a view into the frame, which must outlive it. To be encoded it may name bytes that follow later:
// `deferred_bytes` counts what the writer leaves out and notes in Writer::splices(), for the sender to fill from a file.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace moldau::protocol {

struct Records {
  ByteView bytes;
  bool is_null = true;
  uint32_t deferred_bytes = 0;

  Records() = default;
  Records(ByteView view) : bytes(view), is_null(false) {}  // NOLINT: a view is what records are
  [[nodiscard]] static Records deferred(uint32_t byte_count) {
    Records records{ByteView{}};
    records.deferred_bytes = byte_count;
    return records;
  }

  [[nodiscard]] size_t size() const { return bytes.size() + deferred_bytes; }
  friend bool operator==(const Records& a, const Records& b) {
    return a.is_null == b.is_null && a.deferred_bytes == b.deferred_bytes && equal(a.bytes, b.bytes);
  }
};

}  // namespace moldau::protocol
