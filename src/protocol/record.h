// One record of a v2 batch: its fields, how it is read from contiguous bytes and written.
//
// A record is a view: key, value and headers point into the bytes that it was read from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "protocol/batch_error.h"
#include "protocol/writer.h"

namespace moldau::protocol {

struct RecordHeader {
  std::string_view key;
  std::optional<ByteView> value;
};

// The headers of a record that was read, still encoded; known to be well formed.
class RecordHeaders {
 public:
  RecordHeaders() = default;
  RecordHeaders(ByteView encoded, uint32_t count) : encoded_(encoded), count_(count) {}
  [[nodiscard]] uint32_t size() const { return count_; }
  [[nodiscard]] std::vector<RecordHeader> decode() const;
  [[nodiscard]] ByteView encoded() const { return encoded_; }

 private:
  ByteView encoded_;
  uint32_t count_ = 0;
};

struct Record {
  Offset offset;
  int64_t timestamp_ms = -1;
  int64_t timestamp_delta = 0;  // against the batch's base
  int32_t offset_delta = 0;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  RecordHeaders headers;
  uint32_t size_bytes = 0;  // with its length prefix
};

// Takes the record at the front of `rest`, which is moved behind it. Fills everything but offset and timestamp, which
// need the batch.
[[nodiscard]] result<void, BatchError> read_record(ByteView& rest, Record& record);

// Appends a record as Kafka encodes it.
void write_record(Writer& writer, int64_t timestamp_delta, int32_t offset_delta, std::optional<ByteView> key,
                  std::optional<ByteView> value, std::span<const RecordHeader> headers);

}  // namespace moldau::protocol
