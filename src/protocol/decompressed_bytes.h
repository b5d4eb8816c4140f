// A window that moves over the decompressed bytes of a batch: it holds what was asked for and no more than one read
// beyond. Used where records of a compressed batch are read or skipped.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/batch_error.h"
#include "protocol/compression.h"

namespace moldau::protocol {

class DecompressedBytes {
 public:
  // Fails with `too_large` when more than `max_bytes` come out.
  DecompressedBytes(Codec codec, ByteView compressed, size_t max_bytes);

  // The next bytes, at least `count` of them unless the data ends before. Valid until the next call.
  [[nodiscard]] result<ByteView, BatchError> peek(size_t count);
  // Moves over bytes that were peeked at.
  void consume(size_t count);
  // Moves over bytes without keeping them; false when the data ends before.
  [[nodiscard]] result<bool, BatchError> skip(size_t count);
  // Whether nothing is left. Leaves views from peek() alone, but may lose a byte: ask last.
  [[nodiscard]] result<bool, BatchError> ends_here();

 private:
  [[nodiscard]] result<void, BatchError> read_more(size_t wanted);

  std::unique_ptr<Decompressor> decompressor_;
  Bytes window_;
  size_t begin_ = 0;  // of what is not consumed
  size_t end_ = 0;    // of what was read
  size_t left_bytes_;
  bool is_at_end_ = false;
};

}  // namespace moldau::protocol
