#include "storage/verified_ranges.h"

#include <algorithm>

namespace moldau::storage {

uint32_t VerifiedRanges::reach_of(uint32_t position) const {
  const auto reach = [position](const Range& range) { return range.begin <= position && position < range.end; };
  if (reach(last_)) return last_.end;
  if (others_ == nullptr) return position;
  const auto found = std::ranges::find_if(*others_, reach);
  return found == others_->end() ? position : found->end;
}

std::vector<VerifiedRanges::Range> VerifiedRanges::ranges() const {
  std::vector<Range> all;
  if (others_ != nullptr) all = *others_;
  if (last_.begin < last_.end) all.push_back(last_);
  return all;
}

void VerifiedRanges::assign(std::vector<Range> rising, uint32_t kept) {
  const auto size = [kept](const Range& range) {
    return range.begin <= kept && kept < range.end ? UINT32_MAX : range.end - range.begin;
  };
  while (rising.size() > most_ranges) rising.erase(std::ranges::min_element(rising, {}, size));
  last_ = rising.empty() ? Range{} : rising.back();
  if (rising.size() < 2) {
    others_.reset();
    return;
  }
  rising.pop_back();
  others_ = std::make_unique<std::vector<Range>>(std::move(rising));
}

void VerifiedRanges::add(uint32_t begin, uint32_t end) {
  if (begin >= end) return;
  if (last_.begin < last_.end && begin >= last_.begin && begin <= last_.end) {
    last_.end = std::max(last_.end, end);
    return;
  }
  std::vector<Range> all = ranges();
  all.insert(std::ranges::lower_bound(all, begin, {}, &Range::begin), Range{begin, end});
  std::vector<Range> merged;
  for (const Range& range : all) {
    if (!merged.empty() && range.begin <= merged.back().end)
      merged.back().end = std::max(merged.back().end, range.end);
    else
      merged.push_back(range);
  }
  assign(std::move(merged), begin);
}

void VerifiedRanges::remove(uint32_t begin, uint32_t end) {
  if (begin >= end) return;
  std::vector<Range> kept;
  for (const Range& range : ranges()) {
    if (range.begin < begin) kept.push_back({range.begin, std::min(range.end, begin)});
    if (range.end > end) kept.push_back({std::max(range.begin, end), range.end});
  }
  assign(std::move(kept), begin);
}

}  // namespace moldau::storage
