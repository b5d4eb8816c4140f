// VerifiedRanges: which bytes of a file this process has seen to be right, because it wrote or checked them.
//
// Two numbers for a file that is read or written from one end on, a short list otherwise. Plain data of a Segment, on its
// shard. Where ranges would become too many the smallest is forgotten: its bytes are checked again when they are read.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace moldau::storage {

class VerifiedRanges {
 public:
  struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };

  [[nodiscard]] bool contains(uint32_t begin, uint32_t end) const {
    return (begin >= last_.begin && end <= last_.end) || reach_of(begin) >= end;
  }
  // How far the bytes from `position` on are verified; `position` itself where it is not.
  [[nodiscard]] uint32_t reach_of(uint32_t position) const;
  void add(uint32_t begin, uint32_t end);
  void remove(uint32_t begin, uint32_t end);
  // The file was cut to `size`.
  void truncate(uint32_t size) { remove(size, UINT32_MAX); }
  [[nodiscard]] std::vector<Range> ranges() const;  // rising

 private:
  static constexpr size_t most_ranges = 64;

  // Of too many, the smallest goes that does not hold `kept`.
  void assign(std::vector<Range> rising, uint32_t kept);

  Range last_;                                  // the highest
  std::unique_ptr<std::vector<Range>> others_;  // below it, rising; null without any
};

}  // namespace moldau::storage
