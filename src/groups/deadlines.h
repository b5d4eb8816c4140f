// The times at which a coordinator shard has something to do: one deadline for each key, earliest first.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace moldau::groups {

enum class DeadlineKind : uint8_t { session, join, sync, expire_offsets };

struct DeadlineKey {
  DeadlineKind kind = DeadlineKind::session;
  std::string group;
  std::string member;  // of a session; empty otherwise
  friend auto operator<=>(const DeadlineKey&, const DeadlineKey&) = default;
};

class Deadlines {
 public:
  // Sets the deadline of this key, replacing an earlier one.
  void set(const DeadlineKey& key, int64_t deadline_ms);
  void cancel(const DeadlineKey& key);
  void cancel_group(std::string_view group);
  void clear();
  [[nodiscard]] std::optional<int64_t> next() const;
  // Takes out the earliest key whose deadline is not after `now_ms`; equal ones in the order in which they were set.
  [[nodiscard]] std::optional<DeadlineKey> pop_due(int64_t now_ms);

 private:
  using Place = std::pair<int64_t, uint64_t>;  // deadline, order of setting
  std::map<Place, DeadlineKey> by_time_;
  std::map<DeadlineKey, Place> places_;
  uint64_t next_order_ = 0;
};

}  // namespace moldau::groups
