// Builds a v2 batch record by record, in any codec: for coordinators, the controller, clients and tests.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "protocol/compression.h"
#include "protocol/record_batch.h"
#include "protocol/writer.h"

namespace moldau::protocol {

struct BatchOptions {
  Codec codec = Codec::none;
  std::optional<int> level = std::nullopt;
  Offset base_offset{0};
  LeaderEpoch leader_epoch = no_leader_epoch;
  // With log_append_time every record has `log_append_time_ms`.
  TimestampType timestamp_type = TimestampType::create_time;
  int64_t log_append_time_ms = no_timestamp_ms;
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  int32_t base_sequence = -1;
  bool is_transactional = false;
  bool is_control = false;
  std::optional<int64_t> delete_horizon_ms = std::nullopt;
};

class BatchBuilder {
 public:
  explicit BatchBuilder(BatchOptions options);

  // At the next offset.
  void append(int64_t timestamp_ms, std::optional<ByteView> key, std::optional<ByteView> value,
              std::span<const RecordHeader> headers = {});
  // Offsets rise; a gap is what compaction leaves.
  void append_at(Offset offset, int64_t timestamp_ms, std::optional<ByteView> key, std::optional<ByteView> value,
                 std::span<const RecordHeader> headers = {});

  // For compaction, which keeps the range of a batch whose last records are gone.
  void set_last_offset(Offset last_offset) { last_offset_ = last_offset; }

  [[nodiscard]] int32_t count() const { return count_; }
  // Of the batch if it were finished now and did not compress at all.
  [[nodiscard]] size_t uncompressed_size_bytes() const { return records_.size(); }
  // The whole batch. The builder is empty afterwards and not to be used again.
  [[nodiscard]] Bytes finish();

 private:
  BatchOptions options_;
  Writer records_;  // uncompressed, behind room for the header
  Offset last_offset_;
  int64_t base_timestamp_ms_ = no_timestamp_ms;
  int64_t max_timestamp_ms_ = no_timestamp_ms;
  int32_t count_ = 0;
};

}  // namespace moldau::protocol
