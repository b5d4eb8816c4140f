#include "protocol/batch_builder.h"

#include <algorithm>

#include "base/assert.h"

namespace moldau::protocol {

BatchBuilder::BatchBuilder(BatchOptions options) : options_(options), last_offset_(options.base_offset - 1) {
  records_.skip(record_batch_header_bytes);
}

void BatchBuilder::append(int64_t timestamp_ms, std::optional<ByteView> key, std::optional<ByteView> value,
                          std::span<const RecordHeader> headers) {
  append_at(last_offset_ + 1, timestamp_ms, key, value, headers);
}

void BatchBuilder::append_at(Offset offset, int64_t timestamp_ms, std::optional<ByteView> key,
                             std::optional<ByteView> value, std::span<const RecordHeader> headers) {
  MOLDAU_ASSERT_MSG(offset > last_offset_, "offsets in a batch rise");
  if (count_ == 0) base_timestamp_ms_ = options_.delete_horizon_ms.value_or(timestamp_ms);
  // Deltas may wrap: a reader's sum wraps back.
  const auto timestamp_delta =
      static_cast<int64_t>(static_cast<uint64_t>(timestamp_ms) - static_cast<uint64_t>(base_timestamp_ms_));
  write_record(records_, timestamp_delta, static_cast<int32_t>(offset - options_.base_offset), key, value,
               headers);
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  last_offset_ = offset;
  ++count_;
}

Bytes BatchBuilder::finish() {
  Bytes batch = records_.take();
  if (options_.codec != Codec::none && count_ > 0) {
    const Bytes compressed =
        compress(options_.codec, ByteView(batch).subspan(record_batch_header_bytes), options_.level);
    batch.resize(record_batch_header_bytes);
    batch.insert(batch.end(), compressed.begin(), compressed.end());
  }
  RecordBatchHeader header;
  header.base_offset = options_.base_offset;
  header.length = static_cast<int32_t>(batch.size() - batch_overhead_bytes);
  header.leader_epoch = options_.leader_epoch;
  header.attributes = static_cast<int16_t>(options_.codec);
  if (options_.timestamp_type == TimestampType::log_append_time) header.attributes |= log_append_time_bit;
  if (options_.is_transactional) header.attributes |= transactional_bit;
  if (options_.is_control) header.attributes |= control_bit;
  if (options_.delete_horizon_ms) header.attributes |= delete_horizon_bit;
  header.last_offset_delta = static_cast<int32_t>(last_offset_ - options_.base_offset);
  header.base_timestamp_ms =
      count_ > 0 ? base_timestamp_ms_ : options_.delete_horizon_ms.value_or(no_timestamp_ms);
  header.max_timestamp_ms = options_.timestamp_type == TimestampType::log_append_time
                                ? options_.log_append_time_ms
                                : max_timestamp_ms_;
  header.producer_id = options_.producer_id;
  header.producer_epoch = options_.producer_epoch;
  header.base_sequence = options_.base_sequence;
  header.count = count_;
  write_batch_header(batch, header);
  header.crc = batch_crc(batch);
  write_batch_header(batch, header);
  return batch;
}

}  // namespace moldau::protocol
