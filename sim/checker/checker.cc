#include "checker/checker.h"

#include "checker/observed_log.h"

namespace moldau::sim {

std::string_view name_of(Anomaly anomaly) {
  switch (anomaly) {
    case Anomaly::inconsistent_offset: return "inconsistent offset";
    case Anomaly::duplicate: return "duplicate";
    case Anomaly::lost_write: return "lost write";
    case Anomaly::aborted_read: return "aborted read";
    case Anomaly::own_read: return "own read";
    case Anomaly::skipped_in_poll: return "skipped in a poll";
    case Anomaly::backwards_in_poll: return "backwards in a poll";
    case Anomaly::skipped_between_polls: return "skipped between polls";
    case Anomaly::backwards_between_polls: return "backwards between polls";
    case Anomaly::reordered_send: return "reordered send";
    case Anomaly::real_time_order: return "against real time";
    case Anomaly::watermark_regress: return "watermark went back";
    case Anomaly::commit_passes_processing: return "commit passes processing";
    case Anomaly::stale_commit: return "stale commit";
    case Anomaly::committed_lost: return "committed offset lost";
    case Anomaly::committed_invented: return "committed offset invented";
    case Anomaly::committed_unread: return "committed and unread";
    case Anomaly::owned_twice: return "owned twice";
    case Anomaly::wrong_lookup: return "wrong lookup by time";
    case Anomaly::removed_too_early: return "removed too early";
    case Anomaly::unstable_without_cause: return "unstable without cause";
  }
  return "?";
}

std::vector<Finding> check(const History& history, size_t limit) {
  Findings findings(limit);
  const ObservedLogs observed = observe(history);
  check_log(history, observed, findings);
  check_polls(history, observed, findings);
  check_order(history, observed, findings);
  check_watermarks(history, findings);
  check_commits(history, findings);
  check_coverage(history, findings);
  check_memberships(history, findings);
  check_lookups(history, observed, findings);
  check_retention(history, observed, findings);
  return findings.take();
}

}  // namespace moldau::sim
