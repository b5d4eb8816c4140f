#include <algorithm>
#include <optional>

#include "checker/observed_log.h"

namespace moldau::sim {

namespace {

// Whether `told` may be what the coordinator holds: a commit that may have happened and that no later one has certainly
// replaced before the question was asked.
bool is_possible(const CommittedOffset& told, const std::vector<const Commit*>& commits, bool& was_ever) {
  was_ever = false;
  const auto replaced = [&](int64_t completed_us) {
    return std::ranges::any_of(commits, [&](const Commit* other) {
      return other->outcome == Outcome::ok && other->invoked_us > completed_us && other->completed_us < told.invoked_us;
    });
  };
  for (const Commit* commit : commits) {
    if (commit->outcome == Outcome::fail || commit->offset != told.offset || commit->invoked_us > told.completed_us) continue;
    was_ever = true;
    // What nobody has an answer for may happen at any time up to now.
    if (commit->outcome == Outcome::info || !replaced(commit->completed_us)) return true;
  }
  if (told.offset != -1) return false;
  was_ever = true;
  return !replaced(-1);
}

// A commit that was taken although a newer generation had begun: one that had committed, or whose members had learned
// what is theirs. One of which no member ever learned that may be forgotten with the coordinator, and its number given again:
// what it committed shows nothing (a full disk lets a generation be told and not be stored).
void check_generations(const std::vector<const Commit*>& commits, const std::vector<const Membership*>& memberships,
                       Findings& findings) {
  const auto was_learned = [&](const Commit& by) {
    return memberships.empty() || std::ranges::any_of(memberships, [&](const Membership* one) {
             return one->generation == by.generation && one->learned_us <= by.completed_us;
           });
  };
  const auto began_before = [&](const Commit& late) -> std::optional<int> {
    for (const Commit* newer : commits)
      if (newer->outcome == Outcome::ok && newer->generation > late.generation && newer->completed_us < late.invoked_us && was_learned(*newer))
        return newer->generation;
    for (const Membership* newer : memberships)
      if (newer->generation > late.generation && newer->learned_us < late.invoked_us) return newer->generation;
    return std::nullopt;
  };
  for (const Commit* late : commits) {
    if (late->outcome != Outcome::ok || late->generation < 0) continue;
    if (const auto newer = began_before(*late))
      findings.add(Anomaly::stale_commit, "group {} took offset {} of {} from generation {} at {} us, after generation {} had begun",
                   late->group, late->offset, late->partition, late->generation, late->completed_us, *newer);
  }
}

}  // namespace

void check_commits(const History& history, Findings& findings) {
  std::map<std::string, std::vector<const Membership*>> memberships;
  for (const Membership& one : history.memberships) memberships[one.group].push_back(&one);
  std::map<std::pair<std::string, Partition>, std::vector<const Commit*>> groups;
  for (const Commit& commit : history.commits) {
    groups[{commit.group, commit.partition}].push_back(&commit);
    if (commit.offset > commit.processed)
      findings.add(Anomaly::commit_passes_processing, "group {} committed {} offset {}, processed up to {}", commit.group,
                   commit.partition, commit.offset, commit.processed);
  }
  for (const auto& [key, commits] : groups) check_generations(commits, memberships[key.first], findings);
  static const std::vector<const Commit*> none;
  for (const CommittedOffset& told : history.committed) {
    const auto group = groups.find({told.group, told.partition});
    bool was_ever = false;
    if (is_possible(told, group == groups.end() ? none : group->second, was_ever)) continue;
    findings.add(was_ever ? Anomaly::committed_lost : Anomaly::committed_invented,
                 "group {} on {} was told to be at offset {} at {} us", told.group, told.partition, told.offset, told.completed_us);
  }
}

}  // namespace moldau::sim
