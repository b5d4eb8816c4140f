// BatchCheck: walks the batches of a log file through blocks of any size and checks each: framing, magic, checksum, and
// that offsets rise. It holds one header, so that a batch of a gigabyte costs no more memory than one of a hundred bytes.
//
// No I/O, any thread; whoever reads the file hands it bytes in order. It stops at the first thing that is wrong.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "protocol/record_batch.h"

namespace moldau::storage {

class BatchCheck {
 public:
  struct Bounds {
    uint64_t begin = 0;  // of the first batch in the file
    uint64_t stop = 0;   // batches that begin at or behind it are not checked, but for the front of the first of them
    uint64_t size = 0;   // of the file: a batch that reaches beyond it is cut off
    Offset least;        // no record lies below
    Offset limit;        // nor at or above
    // Whether `least` is exactly what should come first. If not, a hole behind the first batch is taken for damage, for
    // its offset may be what is wrong.
    bool is_least_exact = true;
  };
  // Told of each batch that was sound, in order.
  using Visit = std::function<void(const protocol::RecordBatchHeader&, uint64_t position)>;

  explicit BatchCheck(const Bounds& bounds, Visit visit = {});

  // Takes the bytes behind those it has. False: nothing more is wanted, see is_damaged().
  bool take(ByteView bytes);
  // How many bytes it has taken, from bounds.begin on.
  [[nodiscard]] uint64_t taken_end() const { return taken_end_; }
  // Where the batch ends whose front it has; where the next one begins, without a front.
  [[nodiscard]] uint64_t batch_end() const { return has_front_ ? batch_ + header_.size_bytes() : batch_; }
  // There are no more bytes: what is unfinished is cut off.
  void finish();
  // The bytes behind those it has cannot be had.
  void fail(std::string why) { (void)damaged(std::move(why)); }

  [[nodiscard]] bool is_damaged() const { return !damage_.empty(); }
  [[nodiscard]] const std::string& damage() const { return damage_; }
  // All before it is sound; with damage, where that begins.
  [[nodiscard]] uint64_t sound_end() const { return batch_; }
  // The least offset that may come there.
  [[nodiscard]] Offset next_offset() const { return next_; }
  // With damage: what the header there claims, as far as it could be read.
  [[nodiscard]] const std::optional<protocol::RecordBatchHeader>& claimed() const { return claimed_; }

 private:
  bool take_front();
  bool finish_batch();
  bool damaged(std::string what);
  void add_to_crc(ByteView bytes);

  Bounds bounds_;
  Visit visit_;
  uint64_t taken_end_;
  uint64_t batch_;  // where the batch begins that is walked through
  Offset next_;
  std::array<std::byte, protocol::record_batch_header_bytes> front_{};
  size_t front_bytes_ = 0;
  size_t front_wanted_ = 0;
  bool has_front_ = false;
  protocol::RecordBatchHeader header_;
  uint64_t missing_bytes_ = 0;  // of the batch
  uint32_t crc_ = 0;
  // The batch before, for when the next one shows that its offset was wrong.
  std::optional<protocol::RecordBatchHeader> previous_;
  uint64_t previous_position_ = 0;
  Offset previous_least_;
  bool is_first_ = true;
  std::optional<protocol::RecordBatchHeader> claimed_;
  std::string damage_;
};

}  // namespace moldau::storage
