#include "groups/offset_store.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace moldau::groups {
namespace {

OffsetKey first_key_of(std::string_view group) {
  return {std::string(group), "", std::numeric_limits<int32_t>::min()};
}

}  // namespace

OffsetEntry& OffsetStore::entry(const OffsetKey& key) { return offsets_[key.group][key.topic][key.partition]; }

void OffsetStore::set_latest(OffsetEntry& entry, std::optional<CommittedOffset> value, AppendId append) {
  count_ += (value ? uint64_t{1} : 0) - (entry.latest ? 1 : 0);
  auto before = std::exchange(entry.latest, std::move(value));
  // The same append may touch a key twice; what was there before it stays the first one.
  if (append != 0 && (entry.before.empty() || entry.before.back().append != append)) {
    entry.before.push_back({append, std::move(before)});
  }
}

void OffsetStore::drop_if_empty(const OffsetKey& key) {
  const auto group = offsets_.find(key.group);
  if (group == offsets_.end()) return;
  const auto topic = group->second.find(key.topic);
  if (topic == group->second.end()) return;
  const auto partition = topic->second.find(key.partition);
  if (partition == topic->second.end() || partition->second.latest || !partition->second.before.empty()) return;
  topic->second.erase(partition);
  if (topic->second.empty()) group->second.erase(topic);
  if (group->second.empty()) offsets_.erase(group);
}

void OffsetStore::put(const OffsetKey& key, CommittedOffset offset, AppendId append) {
  set_latest(entry(key), std::move(offset), append);
}

void OffsetStore::put_pending(const OffsetKey& key, CommittedOffset offset, int64_t producer_id) {
  pending_[producer_id][key] = std::move(offset);
  open_[key].insert(producer_id);
}

std::vector<DroppedPending> OffsetStore::remove(const OffsetKey& key, AppendId append) {
  if (find(key.group, key.topic, key.partition) != nullptr) {
    set_latest(entry(key), std::nullopt, append);
    drop_if_empty(key);
  }
  std::vector<DroppedPending> dropped;
  if (const auto open = open_.find(key); open != open_.end()) {
    for (const int64_t producer_id : open->second) {
      auto& offsets = pending_.at(producer_id);
      dropped.push_back({key, producer_id, std::move(offsets.at(key))});
      offsets.erase(key);
      if (offsets.empty()) pending_.erase(producer_id);
    }
    open_.erase(open);
  }
  return dropped;
}

void OffsetStore::restore(DroppedPending dropped) {
  put_pending(dropped.key, std::move(dropped.offset), dropped.producer_id);
}

void OffsetStore::end_transaction(int64_t producer_id, bool committed) {
  auto node = pending_.extract(producer_id);
  if (node.empty()) return;
  for (auto& [key, offset] : node.mapped()) {
    const auto open = open_.find(key);
    open->second.erase(producer_id);
    if (open->second.empty()) open_.erase(open);
    if (!committed) continue;
    // The later record wins: an offset committed outside the transaction after it was written stays.
    const OffsetEntry* existing = find(key.group, key.topic, key.partition);
    if (existing != nullptr && existing->latest && existing->latest->sequence > offset.sequence) continue;
    put(key, std::move(offset), 0);
  }
}

void OffsetStore::settle(const OffsetKey& key, AppendId append) {
  if (find(key.group, key.topic, key.partition) == nullptr) return;
  std::erase_if(entry(key).before, [&](const OffsetEntry::Before& one) { return one.append == append; });
  drop_if_empty(key);
}

void OffsetStore::revert(const OffsetKey& key, AppendId append) {
  if (find(key.group, key.topic, key.partition) == nullptr) return;
  OffsetEntry& at = entry(key);
  const auto mine = std::ranges::find(at.before, append, &OffsetEntry::Before::append);
  if (mine == at.before.end()) return;
  if (const auto later = std::next(mine); later != at.before.end()) {
    later->value = std::move(mine->value);
  } else {
    count_ += (mine->value ? uint64_t{1} : 0) - (at.latest ? 1 : 0);
    at.latest = std::move(mine->value);
  }
  at.before.erase(mine);
  drop_if_empty(key);
}

const TopicOffsets* OffsetStore::of_group(std::string_view group) const {
  const auto at = offsets_.find(group);
  return at == offsets_.end() ? nullptr : &at->second;
}

const OffsetEntry* OffsetStore::find(std::string_view group, std::string_view topic, int32_t partition) const {
  const TopicOffsets* topics = of_group(group);
  if (topics == nullptr) return nullptr;
  const auto at = topics->find(topic);
  if (at == topics->end()) return nullptr;
  const auto found = at->second.find(partition);
  return found == at->second.end() ? nullptr : &found->second;
}

bool OffsetStore::has_pending(std::string_view group, std::string_view topic, int32_t partition) const {
  if (open_.empty()) return false;
  return open_.contains(OffsetKey{std::string(group), std::string(topic), partition});
}

bool OffsetStore::has_pending(std::string_view group) const {
  const auto at = open_.lower_bound(first_key_of(group));
  return at != open_.end() && at->first.group == group;
}

std::vector<OffsetKey> OffsetStore::pending_of_group(std::string_view group) const {
  std::vector<OffsetKey> keys;
  for (auto at = open_.lower_bound(first_key_of(group)); at != open_.end() && at->first.group == group; ++at) {
    keys.push_back(at->first);
  }
  return keys;
}

bool OffsetStore::has_latest(std::string_view group) const {
  const TopicOffsets* topics = of_group(group);
  if (topics == nullptr) return false;
  return std::ranges::any_of(*topics, [](const auto& topic) {
    return std::ranges::any_of(topic.second, [](const auto& one) { return one.second.latest.has_value(); });
  });
}

}  // namespace moldau::groups
