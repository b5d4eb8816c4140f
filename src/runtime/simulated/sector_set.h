// A set of 512-byte sectors of a file, kept as ranges: what was written and not yet flushed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

namespace moldau::runtime::simulated {

inline constexpr uint64_t sector_bytes = 512;

class SectorSet {
 public:
  // Adds the sectors that hold the bytes [from, to).
  void add_bytes(uint64_t from, uint64_t to) {
    if (from < to) add(from / sector_bytes, (to + sector_bytes - 1) / sector_bytes);
  }
  void add(const SectorSet& other) {
    for (const auto& [first, end] : other.ranges_) add(first, end);
  }
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  void clear() { ranges_.clear(); }

  // Calls f(position, size) in bytes for each sector (each range, with for_each_range) that begins below `file_size`;
  // the last one may be short.
  template <class F>
  void for_each_sector(uint64_t file_size, F f) const {
    for (const auto& [first, end] : ranges_)
      for (uint64_t s = first; s < end && s * sector_bytes < file_size; ++s)
        f(s * sector_bytes, std::min(sector_bytes, file_size - s * sector_bytes));
  }
  template <class F>
  void for_each_range(uint64_t file_size, F f) const {
    for (const auto& [first, end] : ranges_)
      if (first * sector_bytes < file_size)
        f(first * sector_bytes, std::min(end * sector_bytes, file_size) - first * sector_bytes);
  }

 private:
  void add(uint64_t first, uint64_t end) {
    auto next = ranges_.upper_bound(first);
    if (next != ranges_.begin() && std::prev(next)->second >= first) {
      --next;
      first = next->first;
      end = std::max(end, next->second);
      next = ranges_.erase(next);
    }
    while (next != ranges_.end() && next->first <= end) {
      end = std::max(end, next->second);
      next = ranges_.erase(next);
    }
    ranges_.emplace_hint(next, first, end);
  }

  std::map<uint64_t, uint64_t> ranges_;  // first sector -> one past the last; disjoint, not touching
};

}  // namespace moldau::runtime::simulated
