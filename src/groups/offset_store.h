// The committed offsets of a coordinator shard, and the pending ones of open transactions.
//
// Changed by replayed records only. A record that is not committed yet (its append is in flight) already shows in
// latest(); committed() shows what was there before it until settle(), and revert() takes it back. Loaded records have
// no append and are committed at once.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "groups/coordinator_types.h"

namespace moldau::groups {

struct OffsetKey {
  std::string group;
  std::string topic;
  int32_t partition = 0;
  friend auto operator<=>(const OffsetKey&, const OffsetKey&) = default;
};

// An offset with what was there before each append that is still in flight, oldest first.
struct OffsetEntry {
  struct Before {
    AppendId append = 0;
    std::optional<CommittedOffset> value;
  };
  std::optional<CommittedOffset> latest;
  std::vector<Before> before;

  [[nodiscard]] const std::optional<CommittedOffset>& committed() const {
    return before.empty() ? latest : before.front().value;
  }
};

// Pending offsets that a tombstone dropped, to be restored if its append fails.
struct DroppedPending {
  OffsetKey key;
  int64_t producer_id = -1;
  CommittedOffset offset;
};

using PartitionOffsets = std::map<int32_t, OffsetEntry>;
using TopicOffsets = std::map<std::string, PartitionOffsets, std::less<>>;

class OffsetStore {
 public:
  // The effects of records; `append` is 0 on load.
  void put(const OffsetKey& key, CommittedOffset offset, AppendId append);
  void put_pending(const OffsetKey& key, CommittedOffset offset, int64_t producer_id);
  // A tombstone: also drops pending offsets of this partition and gives them back.
  std::vector<DroppedPending> remove(const OffsetKey& key, AppendId append);
  void end_transaction(int64_t producer_id, bool committed);

  // The append that touched this key is committed, or never happened.
  void settle(const OffsetKey& key, AppendId append);
  void revert(const OffsetKey& key, AppendId append);
  void restore(DroppedPending dropped);

  // Null where there is none. Entries in it may lack a latest value.
  [[nodiscard]] const TopicOffsets* of_group(std::string_view group) const;
  [[nodiscard]] const OffsetEntry* find(std::string_view group, std::string_view topic, int32_t partition) const;
  [[nodiscard]] bool has_pending(std::string_view group, std::string_view topic, int32_t partition) const;
  [[nodiscard]] bool has_pending(std::string_view group) const;
  [[nodiscard]] std::vector<OffsetKey> pending_of_group(std::string_view group) const;
  [[nodiscard]] bool has_latest(std::string_view group) const;
  [[nodiscard]] const std::map<std::string, TopicOffsets, std::less<>>& all() const { return offsets_; }
  [[nodiscard]] const std::map<int64_t, std::map<OffsetKey, CommittedOffset>>& pending() const { return pending_; }
  [[nodiscard]] uint64_t size() const { return count_; }

 private:
  OffsetEntry& entry(const OffsetKey& key);
  void set_latest(OffsetEntry& entry, std::optional<CommittedOffset> value, AppendId append);
  void drop_if_empty(const OffsetKey& key);

  std::map<std::string, TopicOffsets, std::less<>> offsets_;
  std::map<int64_t, std::map<OffsetKey, CommittedOffset>> pending_;  // by producer id
  std::map<OffsetKey, std::set<int64_t>> open_;                      // producers with a pending offset
  uint64_t count_ = 0;                                               // entries with a latest value
};

}  // namespace moldau::groups
