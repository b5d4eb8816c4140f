// BatchScanner: walks the batches of a part of a log file, reading ahead in blocks.
//
//   while (true) {
//     switch (scanner.next()) {
//       case ScanStep::batch: use scanner.header(), scanner.position(); break;
//       case ScanStep::need_bytes: MOLDAU_CO_CHECK(co_await scanner.fill()); break;
//       case ScanStep::end: case ScanStep::damaged: ...
//     }
//   }
// A batch that the part cuts off is the end, not damage; damage is a length or a magic that no batch has. With
// ScanDepth::whole_batches the bytes of each batch can be had too, else only headers are read. The file may grow
// meanwhile; the scanner keeps to the end that it was given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/record_batch.h"
#include "runtime/file.h"
#include "storage/error.h"
#include "storage/newer_format.h"

namespace moldau::storage {

enum class ScanStep : uint8_t { batch, need_bytes, end, damaged };
enum class ScanDepth : uint8_t { headers, whole_batches };

class BatchScanner {
 public:
  BatchScanner(runtime::FilePtr file, uint64_t position, uint64_t end, ScanDepth depth = ScanDepth::headers);

  ScanStep next();
  runtime::task<log_result<>> fill();

  // Of the batch that next() found; of any magic (see protocol::read_header_of_any_magic).
  [[nodiscard]] const protocol::RecordBatchHeader& header() const { return header_; }
  [[nodiscard]] uint64_t position() const { return batch_position_; }
  // All its bytes; only with ScanDepth::whole_batches, and until the next fill().
  [[nodiscard]] ByteView bytes() const;
  // Where the next batch would begin: all before it was whole.
  [[nodiscard]] uint64_t next_position() const { return position_; }
  // What is wrong, after ScanStep::damaged.
  [[nodiscard]] const std::string& damage() const { return damage_; }
  // After ScanStep::damaged: it is a frame like any other but for its magic, and its offset is `least` or above.
  [[nodiscard]] const NewerBatch* newer_batch(Offset least) const { return newer_ && newer_->offset >= least ? &*newer_ : nullptr; }

 private:
  [[nodiscard]] bool has(uint64_t position, uint64_t size) const {
    return position >= buffer_position_ && position + size <= buffer_position_ + buffer_.size();
  }

  runtime::FilePtr file_;
  uint64_t position_;
  uint64_t end_;
  ScanDepth depth_;
  Bytes buffer_;
  uint64_t buffer_position_ = 0;
  uint64_t wanted_bytes_ = 0;
  protocol::RecordBatchHeader header_;
  uint64_t batch_position_ = 0;
  std::string damage_;
  std::optional<NewerBatch> newer_;
};

}  // namespace moldau::storage
