// LeaderEpochs: at which offset each leader epoch of a partition began, as `leader-epoch-checkpoint` keeps it.
//
// Plain data without I/O; the Log writes the file when it changes. Entries rise in epoch and in start offset. Rules are
// KIP-101's and KIP-320's. Kafka: LeaderEpochFileCache.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"

namespace moldau::storage {

struct EpochEntry {
  LeaderEpoch epoch;
  Offset start_offset;
  friend bool operator==(const EpochEntry&, const EpochEntry&) = default;
};

struct EpochEnd {
  LeaderEpoch epoch;  // the one found: the epoch asked for, or the largest below it
  Offset end_offset;
  friend bool operator==(const EpochEnd&, const EpochEnd&) = default;
};

class LeaderEpochs {
 public:
  [[nodiscard]] std::span<const EpochEntry> entries() const { return entries_; }
  [[nodiscard]] std::optional<EpochEntry> latest() const;
  [[nodiscard]] std::optional<EpochEntry> earliest() const;
  [[nodiscard]] std::optional<LeaderEpoch> epoch_of(Offset offset) const;

  // `epoch` begins at `start_offset`; entries that contradict it go. True: something changed. Both are not negative.
  bool assign(LeaderEpoch epoch, Offset start_offset);
  // The end of `epoch` in a log that ends at `log_end_offset`; null if nothing is known of it or a later one.
  [[nodiscard]] std::optional<EpochEnd> end_of(LeaderEpoch epoch, Offset log_end_offset) const;
  // Forgets epochs that begin at `end_offset` or later. True: something changed.
  bool truncate_from_end(Offset end_offset);
  // Forgets epochs that ended before `start_offset`; the one that holds it begins there. True: something changed.
  bool truncate_from_start(Offset start_offset);
  void clear() { entries_.clear(); }

 private:
  std::vector<EpochEntry> entries_;
};

}  // namespace moldau::storage
