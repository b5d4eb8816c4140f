#include "storage/leader_epochs.h"

#include <algorithm>

#include "base/assert.h"

namespace moldau::storage {

std::optional<EpochEntry> LeaderEpochs::latest() const {
  return entries_.empty() ? std::nullopt : std::optional(entries_.back());
}

std::optional<EpochEntry> LeaderEpochs::earliest() const {
  return entries_.empty() ? std::nullopt : std::optional(entries_.front());
}

std::optional<LeaderEpoch> LeaderEpochs::epoch_of(Offset offset) const {
  const auto after = std::ranges::upper_bound(entries_, offset, {}, &EpochEntry::start_offset);
  if (after == entries_.begin()) return std::nullopt;
  return std::prev(after)->epoch;
}

bool LeaderEpochs::assign(LeaderEpoch epoch, Offset start_offset) {
  MOLDAU_ASSERT(epoch.value() >= 0 && start_offset.value() >= 0);
  if (!entries_.empty() && entries_.back().epoch == epoch && start_offset >= entries_.back().start_offset) return false;
  while (!entries_.empty() && (entries_.back().epoch >= epoch || entries_.back().start_offset >= start_offset))
    entries_.pop_back();
  entries_.push_back({epoch, start_offset});
  return true;
}

std::optional<EpochEnd> LeaderEpochs::end_of(LeaderEpoch epoch, Offset log_end_offset) const {
  if (epoch == no_leader_epoch || entries_.empty()) return std::nullopt;
  if (entries_.back().epoch == epoch) return EpochEnd{epoch, log_end_offset};
  const auto higher = std::ranges::upper_bound(entries_, epoch, {}, &EpochEntry::epoch);
  if (higher == entries_.end()) return std::nullopt;
  if (higher == entries_.begin()) return EpochEnd{epoch, higher->start_offset};
  return EpochEnd{std::prev(higher)->epoch, higher->start_offset};
}

bool LeaderEpochs::truncate_from_end(Offset end_offset) {
  const size_t before = entries_.size();
  while (!entries_.empty() && entries_.back().start_offset >= end_offset) entries_.pop_back();
  return entries_.size() != before;
}

bool LeaderEpochs::truncate_from_start(Offset start_offset) {
  const auto kept = std::ranges::upper_bound(entries_, start_offset, {}, &EpochEntry::start_offset);
  if (kept == entries_.begin()) return false;
  const EpochEntry first{std::prev(kept)->epoch, start_offset};
  const bool changed = std::prev(kept) != entries_.begin() || entries_.front() != first;
  entries_.erase(entries_.begin(), std::prev(kept));
  entries_.front() = first;
  return changed;
}

}  // namespace moldau::storage
