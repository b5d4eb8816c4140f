#include "storage/compaction/offset_map.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/assert.h"
#include "base/huge_pages.h"
#include "base/mutant.h"

namespace moldau::storage {

// Slots of 24 bytes: what stays in a core's own cache.
static constexpr uint64_t first_slots_most = 32 * 1024;
static constexpr uint64_t growth = 8;

uint64_t OffsetMapLimits::keys_max() const {
  // Room for one key is always made, or a round would come to nothing. (A factor may be no number at all.)
  const double factor = load_factor > 0 ? std::min(load_factor, 1.0) : 0.0;
  return std::max(static_cast<uint64_t>(static_cast<double>(slots()) * factor), uint64_t{1});
}

void OffsetMap::Free::operator()(Slot* slots) const { std::free(slots); }

OffsetMap::OffsetMap(const OffsetMapLimits& limits, uint64_t keys_expected, KeyHasher hasher)
    : hasher_(hasher), keys_allowed_(limits.keys_max()), keys_max_(keys_allowed_) {
  constexpr uint64_t fewest_slots = 16;
  // No slot more than the budget has; where there is room, one in four stays empty.
  const uint64_t wanted = std::min(keys_expected, keys_max_);
  slot_count_max_ = std::max(std::min(wanted + wanted / 3 + fewest_slots, limits.slots()), uint64_t{1});
  keys_max_ = std::min(keys_max_, slot_count_max_);
  // From the last size backwards, so that no step is wasted on a little more room.
  uint64_t first = slot_count_max_;
  while (first > first_slots_most) first = first / growth + 1;
  allocate(first);
}

void OffsetMap::allocate(uint64_t slot_count) {
  slots_.reset(static_cast<Slot*>(std::calloc(slot_count, sizeof(Slot))));
  MOLDAU_ASSERT_MSG(slots_ != nullptr, "out of memory for the offset map of a round of compaction");
  prefer_huge_pages(slots_.get(), slot_count * sizeof(Slot));
  slot_count_ = slot_count;
  keys_now_ = slot_count == slot_count_max_ ? keys_max_ : slot_count - slot_count / 4;
  size_ = 0;
}

void OffsetMap::grow() {
  const std::unique_ptr<Slot[], Free> before = std::move(slots_);
  const uint64_t count_before = slot_count_;
  allocate(std::min(slot_count_ * growth, slot_count_max_));
  // In the order of their hashes: both tables are gone through from front to back.
  for (uint64_t at = 0; at < count_before; ++at)
    if (before[at].next_offset != 0) place(before[at]);
}

uint64_t OffsetMap::home_of(uint64_t high) const {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(high) * slot_count_) >> 64);
}

uint64_t OffsetMap::distance_from_home(uint64_t at) const {
  const uint64_t home = home_of(slots_[at].high);
  return at >= home ? at - home : at + slot_count_ - home;
}

KeyHash OffsetMap::hash(ByteView key) const {
  const KeyHash hash = hasher_(key);
  __builtin_prefetch(&slots_[home_of(hash.high)]);
  return hash;
}

bool OffsetMap::put(const KeyHash& key, Offset offset) {
  MOLDAU_ASSERT(offset >= Offset(0));
  if (size_ >= keys_now_) [[unlikely]] {
    if (slot_count_ == slot_count_max_) return false;
    grow();
  }
  place({key.high, key.low, offset.value() + 1});
  latest_offset_ = offset;
  return true;
}

void OffsetMap::place(Slot coming) {
  const uint64_t high = coming.high;
  const uint64_t low = coming.low;
  bool is_placed = false;  // the record itself; from then on `coming` is one that it pushed on
  uint64_t distance = 0;
  for (uint64_t at = home_of(high);; at = next(at), ++distance) {
    Slot& here = slots_[at];
    if (here.next_offset == 0) {
      here = coming;
      ++size_;
      return;
    }
    if (!is_placed && here.high == high && here.low == low) {
      if (!MOLDAU_MUTANT("offset-map-keeps-the-oldest")) here.next_offset = coming.next_offset;
      return;
    }
    const uint64_t distance_here = distance_from_home(at);
    if (distance_here < distance) {
      std::swap(here, coming);
      distance = distance_here;
      is_placed = true;
    }
  }
}

std::optional<Offset> OffsetMap::find(const KeyHash& key) const {
  uint64_t at = home_of(key.high);
  for (uint64_t distance = 0; distance < slot_count_; ++distance, at = next(at)) {
    const Slot& here = slots_[at];
    if (here.next_offset == 0) return std::nullopt;
    if (here.high == key.high && here.low == key.low) return Offset(here.next_offset - 1);
    if (distance_from_home(at) < distance) return std::nullopt;
  }
  return std::nullopt;
}

double OffsetMap::utilization() const {
  return static_cast<double>(size_) / static_cast<double>(keys_allowed_);
}

}  // namespace moldau::storage
