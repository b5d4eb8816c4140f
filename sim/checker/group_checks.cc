// What groups promise beside their offsets: one owner for each partition, and nothing passed over.
#include <algorithm>
#include <iterator>

#include "checker/observed_log.h"

namespace moldau::sim {

// Whatever lies below a group's committed offset was read by one of its consumers before.
void check_coverage(const History& history, Findings& findings) {
  // By group and partition: offset to when it was read first.
  std::map<std::pair<std::string, Partition>, std::map<int64_t, int64_t>> read_us;
  for (const Operation& operation : history.operations) {
    if (operation.group.empty()) continue;
    for (const Read& read : operation.read) {
      const auto [first, is_new] = read_us[{operation.group, read.partition}].try_emplace(read.offset, operation.completed_us);
      if (!is_new) first->second = std::min(first->second, operation.completed_us);
    }
  }
  std::map<Partition, int64_t> removed_below;
  for (const LogStart& told : history.log_starts) {
    int64_t& below = removed_below[told.partition];
    below = std::max(below, told.offset);
  }
  for (const History::FinalRead& log : history.final_reads) {
    std::map<std::string, std::vector<const CommittedOffset*>> by_group;
    for (const CommittedOffset& told : history.committed)
      if (told.partition == log.partition && told.offset > 0) by_group[told.group].push_back(&told);
    for (auto& [group, tellings] : by_group) {
      const std::map<int64_t, int64_t>& read = read_us[{group, log.partition}];
      std::ranges::sort(tellings, {}, &CommittedOffset::offset);
      auto record = std::ranges::lower_bound(log.read, removed_below[log.partition], {}, &Read::offset);
      int64_t unread = -1;        // an offset that nobody read, or the one that was read last of those below
      int64_t last_read_us = -1;  // when that was
      for (const CommittedOffset* told : tellings) {
        for (; record != log.read.end() && record->offset < told->offset; ++record) {
          const auto found = read.find(record->offset);
          const int64_t at_us = found == read.end() ? INT64_MAX : found->second;
          if (at_us > last_read_us) {
            last_read_us = at_us;
            unread = record->offset;
          }
        }
        if (last_read_us > told->completed_us)
          findings.add(Anomaly::committed_unread, "group {} was at offset {} of {} at {} us, and nobody in it had read offset {}",
                       group, told->offset, log.partition, told->completed_us, unread);
      }
    }
  }
}

void check_memberships(const History& history, Findings& findings) {
  std::map<std::pair<std::string, int>, std::vector<const Membership*>> generations;
  for (const Membership& one : history.memberships) generations[{one.group, one.generation}].push_back(&one);
  for (const auto& [generation, members] : generations) {
    for (size_t i = 0; i < members.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (members[i]->identity == members[j]->identity) continue;
        std::vector<Partition> shared;
        std::ranges::set_intersection(members[i]->partitions, members[j]->partitions, std::back_inserter(shared));
        if (!shared.empty())
          findings.add(Anomaly::owned_twice, "group {} generation {}: {} belongs to {} and to {}", generation.first,
                       generation.second, shared.front(), members[j]->identity, members[i]->identity);
      }
    }
  }
}

}  // namespace moldau::sim
