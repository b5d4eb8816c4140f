#include "controller/partition_change.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace moldau::controller {

using metadata::LeaderRecoveryState;
using metadata::no_leader;
using metadata::Partition;

namespace {

using Brokers = std::vector<int32_t>;

bool contains(const Brokers& brokers, int32_t broker) { return std::ranges::find(brokers, broker) != brokers.end(); }

struct Target {
  std::vector<Uuid> directories;
  Brokers isr;
  Brokers elr;
  int32_t leader = no_leader;
  bool is_unclean = false;
};

// Everybody who was in sync or eligible and now is not in sync stays eligible, as long as the ISR is below its minimum;
// who went down uncleanly does not.
Brokers next_elr(const Partition& partition, const Brokers& isr, const PartitionEvent& event,
                 const PartitionRules& rules) {
  if (!rules.eligible_leader_replicas || static_cast<int32_t>(isr.size()) >= rules.min_insync_replicas) return {};
  Brokers elr;
  const auto add = [&](int32_t broker) {
    if (!contains(isr, broker) && !contains(elr, broker) && broker != event.broker_shut_down_uncleanly)
      elr.push_back(broker);
  };
  std::ranges::for_each(partition.eligible_leader_replicas, add);
  std::ranges::for_each(partition.isr, add);
  std::ranges::sort(elr);
  return elr;
}

void elect(const Partition& partition, const PartitionEvent& event, const PartitionRules& rules, Target& target) {
  const auto has_its_log = [&](int32_t broker) {
    const auto at = static_cast<size_t>(std::ranges::find(partition.replicas, broker) - partition.replicas.begin());
    return at >= target.directories.size() || rules.has_online_directory(broker, target.directories[at]);
  };
  const auto may_lead = [&](int32_t broker) {
    return has_its_log(broker) && broker != event.broker_to_remove && broker != event.broker_shut_down_uncleanly &&
           (broker == event.broker_to_add || rules.is_active(broker));
  };
  const auto is_clean_choice = [&](int32_t broker) {
    return (contains(target.isr, broker) || (target.isr.empty() && contains(target.elr, broker))) && may_lead(broker);
  };
  if (partition.leader != no_leader && is_clean_choice(partition.leader)) {
    target.leader = partition.leader;
    return;
  }
  if (const auto found = std::ranges::find_if(partition.replicas, is_clean_choice); found != partition.replicas.end()) {
    target.leader = *found;
    return;
  }
  // With nobody in sync or eligible, the one who led last has the most of the log.
  if (rules.eligible_leader_replicas && target.isr.empty() && target.elr.empty() &&
      partition.last_known_elr.size() == 1 && may_lead(partition.last_known_elr.front())) {
    target.leader = partition.last_known_elr.front();
    target.is_unclean = true;
    return;
  }
  if (!rules.unclean_leader_election) return;
  if (const auto found = std::ranges::find_if(partition.replicas, may_lead); found != partition.replicas.end()) {
    target.leader = *found;
    target.is_unclean = true;
  }
}

}  // namespace

std::optional<metadata::MetadataRecord> partition_change(const Uuid& topic_id, const Partition& partition,
                                                         const PartitionEvent& event, const PartitionRules& rules) {
  Target target;
  target.directories = partition.directories;
  for (size_t i = 0; i < target.directories.size(); ++i)
    if (partition.replicas[i] == event.broker_of_directory) target.directories[i] = event.directory;
  for (const int32_t broker : partition.isr)
    if (broker != event.broker_to_remove && broker != event.broker_shut_down_uncleanly) target.isr.push_back(broker);
  target.elr = next_elr(partition, target.isr, event, rules);
  elect(partition, event, rules, target);

  protocol::PartitionChangeRecord record;
  record.topic_id = topic_id;
  record.partition_id = partition.index;
  constexpr int32_t no_leader_change = -2;
  bool changes = false;

  if (target.leader != partition.leader) {
    record.leader = target.leader;
    changes = true;
    if (contains(target.elr, target.leader)) {
      target.isr = {target.leader};
      std::erase(target.elr, target.leader);
    }
    if (target.is_unclean) {
      target.elr.clear();
      record.isr = Brokers{target.leader};
      if (partition.leader_recovery_state != LeaderRecoveryState::recovering)
        record.leader_recovery_state = static_cast<int8_t>(LeaderRecoveryState::recovering);
    }
  }
  if (target.directories != partition.directories) {
    record.directories = target.directories;
    changes = true;
  }
  if (target.elr != partition.eligible_leader_replicas) {
    record.eligible_leader_replicas = target.elr;
    changes = true;
  }
  // Without eligible leaders the last member of an ISR stays in it, leader or not.
  if (!record.isr && target.isr != partition.isr && (!target.isr.empty() || rules.eligible_leader_replicas)) {
    record.isr = target.isr;
    changes = true;
  }
  if (rules.version->is_leader_epoch_bumped_on_isr_shrink() && record.leader == no_leader_change && record.isr &&
      !std::ranges::all_of(partition.isr, [&](int32_t broker) { return contains(*record.isr, broker); }))
    record.leader = partition.leader;

  if (rules.eligible_leader_replicas) {
    const bool keeps_leader = partition.leader != no_leader && record.leader != no_leader;
    if (record.isr && record.isr->empty()) {
      if (partition.leader != no_leader && partition.last_known_elr != Brokers{partition.leader})
        record.last_known_elr = Brokers{partition.leader};
    } else if ((record.leader >= 0 || keeps_leader) && !partition.last_known_elr.empty()) {
      record.last_known_elr = Brokers{};
      changes = true;
    }
  }
  if (!changes) return std::nullopt;
  return metadata::MetadataRecord{std::move(record), rules.version->partition_record};
}

}  // namespace moldau::controller
