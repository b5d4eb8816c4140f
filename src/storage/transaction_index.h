// The transaction index of a segment (`.txnindex`): the aborted transactions whose marker lies in it.
//
// Entries of 34 bytes: version 0 (16 bits), producer id, first offset, last offset (the marker's), and the last stable
// offset when it ended, 64 bits each, big-endian. A segment without aborted transactions has no file. Owned by a
// Segment, on its shard. Kafka: TransactionIndex, KIP-98.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "storage/open_files.h"

namespace moldau::storage {

struct AbortedTransaction {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;
  Offset last_stable_offset;
  friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
};

class TransactionIndex {
 public:
  static constexpr uint32_t entry_size = 34;

  TransactionIndex(OpenFiles& cache, bool may_exist) : slot_(cache), may_exist_(may_exist) {}

  // Whether there is, or may be, a file.
  [[nodiscard]] bool may_exist() const { return may_exist_; }
  [[nodiscard]] bool has_unwritten() const { return !unwritten_.empty(); }
  void set_may_exist() { may_exist_ = true; }

  // Known to readers at once. What cannot be written (a full disk) is written with the next append or settle().
  runtime::task<runtime::io_result<>> append(std::string path, AbortedTransaction aborted);
  // All entries, up to a torn or unknown one.
  runtime::task<runtime::io_result<std::vector<AbortedTransaction>>> read_all(std::string path);
  // Adds to `found` what overlaps [fetch_offset, upper_bound). True: later segments hold no more of it.
  runtime::task<runtime::io_result<bool>> collect(std::string path, Offset fetch_offset, Offset upper_bound,
                                                  std::vector<AbortedTransaction>& found);
  // Forgets transactions that ended at `offset` or later.
  runtime::task<runtime::io_result<>> truncate_to(std::string path, Offset offset);
  // Empties the file, if there is one.
  runtime::task<runtime::io_result<>> reset(std::string path);
  // Writes what waits and gives the file, for the caller to sync; null if there is none.
  runtime::task<runtime::io_result<runtime::FilePtr>> settle(std::string path);
  // Opens the file, if there is one, and keeps it open (CachedFile::keep_open).
  runtime::task<runtime::io_result<>> keep_open(std::string path);
  void close() { slot_.close(); }

 private:
  runtime::task<runtime::io_result<>> write_waiting(std::string path);
  // Null if there is no file.
  runtime::task<runtime::io_result<runtime::FilePtr>> existing(std::string path);

  CachedFile slot_;
  bool may_exist_;
  std::vector<AbortedTransaction> unwritten_;
};

}  // namespace moldau::storage
