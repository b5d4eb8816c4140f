// Offsets that time or a deleted topic makes void (KIP-211), and groups that have nothing left.

#include <algorithm>
#include <set>

#include "base/log.h"
#include "groups/group_records.h"
#include "groups/operations.h"

namespace moldau::groups {
namespace {

// A batch of tombstones stays well below any max.message.bytes worth having.
constexpr std::size_t tombstones_per_batch = 1'000;

// Since when an offset counts as unused; null: it is in use.
std::optional<int64_t> unused_since_ms(const Group& group, const std::string& topic, const CommittedOffset& offset) {
  if (const auto* foreign = std::get_if<ForeignGroup>(&group.kind)) {
    // Share groups keep no offsets here, and what members of the other kinds subscribe to is not read.
    if (foreign->type == GroupType::share || !is_empty(*foreign)) return std::nullopt;
    return offset.commit_timestamp_ms;
  }
  const auto& classic = std::get<ClassicGroup>(group.kind);
  if (is_subscribed(classic, topic)) return std::nullopt;
  if (!classic.protocol_type) return offset.commit_timestamp_ms;
  if (classic.state == ClassicState::empty) return classic.state_timestamp_ms.value_or(offset.commit_timestamp_ms);
  const bool knows_topics = uses_consumer_protocol(classic) && classic.subscribed_topics;
  if (knows_topics && classic.state == ClassicState::stable) return offset.commit_timestamp_ms;
  return std::nullopt;
}

bool is_expired(const Turn& turn, const Group& group, const OffsetKey& key, const CommittedOffset& offset) {
  const auto since = unused_since_ms(group, key.topic, offset);
  if (!since || turn.shard.offsets.has_pending(key.group, key.topic, key.partition)) return false;
  if (offset.expire_timestamp_ms != -1) return turn.now_ms >= offset.expire_timestamp_ms;
  // The time comes from a record, which may hold anything.
  const auto unused_ms = static_cast<int64_t>(static_cast<uint64_t>(turn.now_ms) - static_cast<uint64_t>(*since));
  return unused_ms >= turn.shard.config.offsets_retention_ms;
}

bool may_vanish(const Group& group) {
  if (const auto* foreign = std::get_if<ForeignGroup>(&group.kind)) {
    return foreign->type != GroupType::share && is_empty(*foreign);
  }
  return std::get<ClassicGroup>(group.kind).state == ClassicState::empty;
}

void expire_group(Turn& turn, const Group& group) {
  std::vector<CoordinatorRecord> records;
  bool all_expired = true;
  if (const TopicOffsets* topics = turn.shard.offsets.of_group(group.id)) {
    for (const auto& [topic, partitions] : *topics) {
      for (const auto& [partition, entry] : partitions) {
        if (!entry.latest) continue;
        const OffsetKey key{group.id, topic, partition};
        if (is_expired(turn, group, key, *entry.latest)) {
          records.push_back(offset_tombstone(key));
        } else {
          all_expired = false;
        }
      }
    }
  }
  turn.shard.expired_offsets += records.size();
  if (all_expired && may_vanish(group) && !turn.shard.offsets.has_pending(group.id)) {
    add_group_tombstones(group, records);
  }
  if (records.empty()) return;
  log_info("group {}: {} tombstones for what has expired", group.id, records.size());
  append_in_batches(turn, std::move(records));
}

}  // namespace

void append_in_batches(Turn& turn, std::vector<CoordinatorRecord> records) {
  for (std::size_t from = 0; from < records.size(); from += tombstones_per_batch) {
    const auto first = records.begin() + static_cast<std::ptrdiff_t>(from);
    const auto count = std::min(tombstones_per_batch, records.size() - from);
    append(turn, {std::make_move_iterator(first), std::make_move_iterator(first + static_cast<std::ptrdiff_t>(count))});
  }
}

void schedule_expiry(Turn& turn) {
  turn.shard.deadlines.set({DeadlineKind::expire_offsets, "", ""},
                           turn.now_ms + turn.shard.config.offsets_retention_check_interval_ms);
}

void expire_offsets(Turn& turn) {
  std::vector<std::string> ids;
  for (const auto& [id, group] : turn.shard.groups) ids.push_back(id);
  for (const std::string& id : ids) {
    if (const Group* group = find_group(turn.shard, id)) expire_group(turn, *group);
  }
  schedule_expiry(turn);
}

void delete_topics(Turn& turn, std::span<const DeletedTopic> topics) {
  std::set<OffsetKey> keys;
  // An offset committed under another id belongs to a topic of the same name that is not deleted.
  const auto collect = [&](const OffsetKey& key, const CommittedOffset& offset) {
    const bool is_deleted = std::ranges::any_of(topics, [&](const DeletedTopic& topic) {
      return topic.name == key.topic && (offset.topic_id.is_zero() || offset.topic_id == topic.topic_id);
    });
    if (is_deleted) keys.insert(key);
  };
  for (const auto& [group, offsets] : turn.shard.offsets.all()) {
    for (const DeletedTopic& topic : topics) {
      const auto at = offsets.find(topic.name);
      if (at == offsets.end()) continue;
      for (const auto& [partition, entry] : at->second) {
        if (entry.latest) collect({group, topic.name, partition}, *entry.latest);
      }
    }
  }
  for (const auto& [producer_id, offsets] : turn.shard.offsets.pending()) {
    for (const auto& [key, offset] : offsets) collect(key, offset);
  }
  std::vector<CoordinatorRecord> records;
  for (const OffsetKey& key : keys) records.push_back(offset_tombstone(key));
  append_in_batches(turn, std::move(records));
}

}  // namespace moldau::groups
