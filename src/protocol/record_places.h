// The offsets and timestamps of the records of one v2 batch, for who looks for a time: what else a record has is passed over and never
// held, however much it decompresses to.
#pragma once

#include <memory>
#include <optional>

#include "protocol/record_batch.h"

namespace moldau::protocol {

struct RecordPlace {
  Offset offset;
  int64_t timestamp_ms = 0;
  friend bool operator==(const RecordPlace&, const RecordPlace&) = default;
};

class RecordPlaces {
 public:
  // `batch`, whose header fits, must outlive it.
  explicit RecordPlaces(ByteView batch);
  ~RecordPlaces();
  RecordPlaces(const RecordPlaces&) = delete;

  // Null after the last.
  [[nodiscard]] result<std::optional<RecordPlace>, BatchError> next();
  [[nodiscard]] const RecordBatchHeader& header() const { return header_; }

 private:
  [[nodiscard]] result<std::optional<RecordPlace>, BatchError> next_compressed();

  RecordBatchHeader header_;
  RecordIterator plain_;  // of an uncompressed batch, where nothing has to be held
  std::unique_ptr<class DecompressedBytes> decompressed_;
  int32_t read_count_ = 0;
};

}  // namespace moldau::protocol
