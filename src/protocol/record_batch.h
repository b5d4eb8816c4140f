// Record batches (magic 2): the header as data, whole batches in a run of bytes, the records inside one, and the few
// places of the header that a leader may change in place. docs/internals/record-batch.md has the layout.
//
// A batch has one form on the wire, in memory and on disk; nothing here encodes one again. Batches of magic 0 and 1,
// which old directories hold, are walked by BatchCursor too and read by protocol/legacy_batch.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "protocol/batch_error.h"
#include "protocol/compression.h"
#include "protocol/record.h"

namespace moldau::protocol {

inline constexpr size_t batch_overhead_bytes = 12;       // base offset and length, which the length does not count
inline constexpr size_t batch_up_to_magic_bytes = 17;    // the least that shows which form a batch has
inline constexpr size_t record_batch_header_bytes = 61;  // of a v2 batch, with the overhead
inline constexpr int64_t no_timestamp_ms = -1;

enum class TimestampType : int8_t { none = -1, create_time = 0, log_append_time = 1 };

// Bits of `attributes`.
inline constexpr int16_t codec_mask = 0x07;
inline constexpr int16_t log_append_time_bit = 0x08;
inline constexpr int16_t transactional_bit = 0x10;
inline constexpr int16_t control_bit = 0x20;
inline constexpr int16_t delete_horizon_bit = 0x40;

// Sums of what a batch states may be absurd; they wrap, as they do in Kafka.
[[nodiscard]] constexpr int64_t wrapping_sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

struct RecordBatchHeader {
  Offset base_offset;
  int32_t length = 0;  // of what follows the overhead
  LeaderEpoch leader_epoch = no_leader_epoch;
  int8_t magic = 2;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = no_timestamp_ms;  // or the delete horizon
  int64_t max_timestamp_ms = no_timestamp_ms;
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  int32_t base_sequence = -1;
  int32_t count = 0;

  [[nodiscard]] size_t size_bytes() const { return static_cast<size_t>(length) + batch_overhead_bytes; }
  [[nodiscard]] Offset last_offset() const { return Offset(wrapping_sum(base_offset.value(), last_offset_delta)); }
  [[nodiscard]] Offset next_offset() const { return Offset(wrapping_sum(last_offset().value(), 1)); }
  [[nodiscard]] bool is_transactional() const { return (attributes & transactional_bit) != 0; }
  [[nodiscard]] bool is_control() const { return (attributes & control_bit) != 0; }
  [[nodiscard]] bool has_producer_id() const { return producer_id > no_producer_id; }
  [[nodiscard]] TimestampType timestamp_type() const {
    return (attributes & log_append_time_bit) != 0 ? TimestampType::log_append_time : TimestampType::create_time;
  }
  [[nodiscard]] std::optional<Codec> codec() const { return codec_of_attributes(attributes); }
  [[nodiscard]] std::optional<int64_t> delete_horizon_ms() const {
    return (attributes & delete_horizon_bit) != 0 ? std::optional(base_timestamp_ms) : std::nullopt;
  }
  // The sequence of the last record; sequences go on at 0 after 2^31 - 1. -1 without one.
  [[nodiscard]] int32_t last_sequence() const;
};

// The sequence `steps` after `sequence`, at 0 again after 2^31 - 1.
[[nodiscard]] int32_t advance_sequence(int32_t sequence, int32_t steps);

// `batch` holds at least record_batch_header_bytes.
[[nodiscard]] RecordBatchHeader read_batch_header(ByteView batch);
// Writes all fields, `crc` and `length` as they stand.
void write_batch_header(MutableByteView batch, const RecordBatchHeader& header);

// The CRC-32C of a v2 batch: from the attributes to its end.
[[nodiscard]] uint32_t batch_crc(ByteView batch);
[[nodiscard]] bool is_batch_crc_right(ByteView batch);

// Outside the CRC.
void patch_base_offset(MutableByteView batch, Offset base_offset);
void patch_leader_epoch(MutableByteView batch, LeaderEpoch epoch);
// Changes nothing when both are so already; else also clears the reserved attributes, as Kafka does, and sets the CRC.
void patch_timestamp(MutableByteView batch, TimestampType type, int64_t max_timestamp_ms);

// One batch of any magic, framed but not looked into.
struct BatchBytes {
  ByteView bytes;
  int8_t magic = 2;
  Offset base_offset;  // as it stands in the first eight bytes: that of the last record in a compressed v0 or v1 batch
};

// Walks the batches that lie one after the other in `bytes`. A batch that is cut off at the end is no error: the walk
// stops before it, and position() says where.
class BatchCursor {
 public:
  explicit BatchCursor(ByteView bytes) : bytes_(bytes) {}
  // Null at the end. A v2 batch is at least as long as its header; its CRC is not checked.
  [[nodiscard]] result<std::optional<BatchBytes>, BatchError> next();
  [[nodiscard]] size_t position() const { return position_; }

 private:
  ByteView bytes_;
  size_t position_ = 0;
};

inline constexpr size_t decompressed_max_bytes = 0x7fffffff;

// Reads the records of one v2 batch, whose header fits and whose CRC was checked by whoever cares. Of a compressed batch
// it holds one record at a time.
class RecordIterator {
 public:
  // `batch` must outlive it. No more than `max_bytes` are decompressed.
  explicit RecordIterator(ByteView batch, size_t max_bytes = decompressed_max_bytes);
  ~RecordIterator();
  RecordIterator(RecordIterator&&) noexcept;
  RecordIterator& operator=(RecordIterator&&) noexcept;

  // The next record, valid until the next call; null after the last. The last record comes only when nothing follows it.
  [[nodiscard]] result<const Record*, BatchError> next();
  [[nodiscard]] const RecordBatchHeader& header() const { return header_; }

 private:
  [[nodiscard]] result<void, BatchError> read_compressed();
  [[nodiscard]] result<void, BatchError> check_nothing_remains();

  RecordBatchHeader header_;
  ByteView rest_;  // of an uncompressed batch
  std::unique_ptr<class DecompressedBytes> decompressed_;
  Record record_;
  int32_t read_count_ = 0;
};

// The batch's records' greatest timestamp belongs to the first record that has it. Null when no record has it.
[[nodiscard]] result<std::optional<Offset>, BatchError> offset_of_max_timestamp(ByteView batch);

}  // namespace moldau::protocol
