#include "groups/deadlines.h"

namespace moldau::groups {

void Deadlines::set(const DeadlineKey& key, int64_t deadline_ms) {
  const Place place{deadline_ms, next_order_++};
  auto [at, is_new] = places_.try_emplace(key, place);
  if (is_new) {
    by_time_.emplace(place, key);
    return;
  }
  auto node = by_time_.extract(at->second);
  node.key() = place;
  by_time_.insert(std::move(node));
  at->second = place;
}

void Deadlines::cancel(const DeadlineKey& key) {
  const auto at = places_.find(key);
  if (at == places_.end()) return;
  by_time_.erase(at->second);
  places_.erase(at);
}

void Deadlines::cancel_group(std::string_view group) {
  for (const DeadlineKind kind : {DeadlineKind::session, DeadlineKind::join, DeadlineKind::sync}) {
    auto at = places_.lower_bound(DeadlineKey{kind, std::string(group), ""});
    while (at != places_.end() && at->first.kind == kind && at->first.group == group) {
      by_time_.erase(at->second);
      at = places_.erase(at);
    }
  }
}

void Deadlines::clear() {
  by_time_.clear();
  places_.clear();
}

std::optional<int64_t> Deadlines::next() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first.first;
}

std::optional<DeadlineKey> Deadlines::pop_due(int64_t now_ms) {
  if (by_time_.empty() || by_time_.begin()->first.first > now_ms) return std::nullopt;
  DeadlineKey key = std::move(by_time_.begin()->second);
  by_time_.erase(by_time_.begin());
  places_.erase(key);
  return key;
}

}  // namespace moldau::groups
