#include "storage/segment_trust.h"

#include <algorithm>

namespace moldau::storage {

const std::vector<DamagedRange>& SegmentTrust::damage() const {
  static const std::vector<DamagedRange> none;
  return damage_ == nullptr ? none : *damage_;
}

bool SegmentTrust::is_known(uint32_t begin, uint32_t end) const {
  for (uint32_t at = begin; at < end;) {
    uint32_t reach = verified_.reach_of(at);
    for (const DamagedRange& range : damage())
      if (range.begin <= at && at < range.end) reach = range.end;
    if (reach == at) return false;
    at = reach;
  }
  return true;
}

void SegmentTrust::judge(uint32_t size, std::vector<DamagedRange> damage) {
  is_judged_ = true;
  verified_.add(0, size);
  for (const DamagedRange& range : damage) verified_.remove(range.begin, range.end);
  damage_ = damage.empty() ? nullptr : std::make_unique<std::vector<DamagedRange>>(std::move(damage));
}

const DamagedRange* SegmentTrust::damage_at_offset(Offset offset) const {
  for (const DamagedRange& range : damage())
    if (range.first_offset <= offset && offset < range.end_offset) return &range;
  return nullptr;
}

uint32_t SegmentTrust::sound_end(uint32_t position, uint32_t size) const {
  for (const DamagedRange& range : damage())
    if (position < range.end || position == range.begin) return std::min(range.begin, size);
  return size;
}

uint32_t SegmentTrust::damage_end(uint32_t position) const {
  for (const DamagedRange& range : damage())
    if (range.begin == position) return range.end;
  return position;
}

void SegmentTrust::truncate(uint32_t size) {
  verified_.truncate(size);
  if (damage_ == nullptr) return;
  std::erase_if(*damage_, [size](const DamagedRange& range) { return range.end > size; });
  if (damage_->empty()) damage_.reset();
}

}  // namespace moldau::storage
