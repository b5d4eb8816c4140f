#include "protocol/record_places.h"

#include <algorithm>

#include "protocol/decompressed_bytes.h"
#include "protocol/reader.h"

namespace moldau::protocol {

static constexpr size_t longest_front = 5 + 1 + 10 + 5;  // length, attributes, timestamp, offset

RecordPlaces::RecordPlaces(ByteView batch) : header_(read_batch_header(batch)), plain_(batch) {
  const auto codec = header_.codec();
  if (codec && *codec != Codec::none && header_.count > 0)
    decompressed_ = std::make_unique<DecompressedBytes>(*codec, batch.subspan(record_batch_header_bytes), decompressed_max_bytes);
}

RecordPlaces::~RecordPlaces() = default;

result<std::optional<RecordPlace>, BatchError> RecordPlaces::next() {
  if (decompressed_) return next_compressed();
  MOLDAU_TRY(const Record* record, plain_.next());
  if (record == nullptr) return std::nullopt;
  return RecordPlace{record->offset, record->timestamp_ms};
}

result<std::optional<RecordPlace>, BatchError> RecordPlaces::next_compressed() {
  if (read_count_ >= header_.count) return std::nullopt;
  ++read_count_;
  MOLDAU_TRY(const ByteView front, decompressed_->peek(longest_front));
  Reader reader(front);
  const int32_t length = reader.varint();
  const size_t size = reader.position() + static_cast<size_t>(std::max(length, 0));
  (void)reader.int8();
  const int64_t timestamp_delta = reader.varlong();
  const int32_t offset_delta = reader.varint();
  if (reader.failed() || reader.position() > size)
    return fail(BatchError{BatchError::Reason::malformed, "the decompressed bytes end where a record should begin"});
  MOLDAU_TRY(const bool is_whole, decompressed_->skip(size));
  if (!is_whole) return fail(BatchError{BatchError::Reason::malformed, "the decompressed bytes end inside a record"});
  return RecordPlace{Offset(wrapping_sum(header_.base_offset.value(), offset_delta)),
                     header_.timestamp_type() == TimestampType::log_append_time ? header_.max_timestamp_ms
                                                                                : wrapping_sum(header_.base_timestamp_ms, timestamp_delta)};
}

}  // namespace moldau::protocol
