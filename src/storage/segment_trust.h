// SegmentTrust: what this process knows of the bytes of a segment: verified, damaged, or neither yet.
//
// Damaged bytes are quarantined: they stay where they are, and nobody is given any of them. What is known is kept in memory
// alone; the next process finds it again. Plain data of a Segment, on its shard. docs/internals/scrubbing.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "storage/verified_ranges.h"

namespace moldau::storage {

// Whole batches, or what was left of them. Where a file has lost its end, `begin` and `end` are its size.
struct DamagedRange {
  uint32_t begin = 0;  // positions in the file
  uint32_t end = 0;
  Offset first_offset;  // the offsets that cannot be read
  Offset end_offset;    // behind the last of them
  std::string reason;
  friend bool operator==(const DamagedRange&, const DamagedRange&) = default;
};

class SegmentTrust {
 public:
  [[nodiscard]] bool is_verified(uint32_t begin, uint32_t end) const { return verified_.contains(begin, end); }
  // Whether each byte is verified or damaged.
  [[nodiscard]] bool is_known(uint32_t begin, uint32_t end) const;
  // How far the bytes from `position` on are verified.
  [[nodiscard]] uint32_t reach_of(uint32_t position) const { return verified_.reach_of(position); }
  void note_verified(uint32_t begin, uint32_t end) { verified_.add(begin, end); }

  [[nodiscard]] bool has_damage() const { return damage_ != nullptr; }
  // By position, which is by offset too.
  [[nodiscard]] const std::vector<DamagedRange>& damage() const;
  // Of the first `size` bytes of the file: damage is in `damage` alone, all else is sound.
  void judge(uint32_t size, std::vector<DamagedRange> damage);

  // Whether it was, since it was opened: then what the segment's indexes know has been compared with it too.
  [[nodiscard]] bool is_judged() const { return is_judged_; }

  [[nodiscard]] const DamagedRange* damage_at_offset(Offset offset) const;
  // Where the sound bytes end that hold `position`: at the next damage, or at `size`.
  [[nodiscard]] uint32_t sound_end(uint32_t position, uint32_t size) const;
  // Where the damage ends that begins at `position`; `position` itself if none does.
  [[nodiscard]] uint32_t damage_end(uint32_t position) const;
  void truncate(uint32_t size);

 private:
  VerifiedRanges verified_;
  bool is_judged_ = false;
  std::unique_ptr<std::vector<DamagedRange>> damage_;  // null without any
};

}  // namespace moldau::storage
