// Lookups by time, and retention by time and size.
#include <algorithm>

#include "checker/observed_log.h"

namespace moldau::sim {

namespace {

// Whether retention may have removed the record before the lookup was answered. After a power cut it may be there again.
bool may_have_been_away(const History& history, const Read& read, const TimeLookup& lookup) {
  return history.retention_bytes >= 0 || (history.retention_ms >= 0 && read.timestamp_ms + history.retention_ms < lookup.told_ms);
}

}  // namespace

void check_lookups(const History& history, const ObservedLogs& observed, Findings& findings) {
  std::map<Partition, const History::FinalRead*> logs;
  for (const History::FinalRead& log : history.final_reads) logs[log.partition] = &log;
  for (const TimeLookup& lookup : history.lookups) {
    const auto log = logs.find(lookup.partition);
    if (log == logs.end()) continue;
    const std::vector<Read>& reads = log->second->read;
    const auto fits = [&](const Read& read) { return read.timestamp_ms >= lookup.timestamp_ms; };
    const auto first = std::ranges::find_if(reads, fits);
    if (lookup.found_offset < 0) {
      // None is right if it was not acknowledged before the question.
      const auto writer = first != reads.end() ? observed.writer.find(first->value) : observed.writer.end();
      if (writer != observed.writer.end() && writer->second->outcome == Outcome::ok && writer->second->completed_us < lookup.invoked_us)
        findings.add(Anomaly::wrong_lookup, "{}: nothing from {} ms on at {} us, and offset {} was there with {} ms", lookup.partition,
                     lookup.timestamp_ms, lookup.completed_us, first->offset, first->timestamp_ms);
    } else if (lookup.found_offset >= log->second->log_start_offset) {
      const auto found = std::find_if(first, reads.end(), [&](const Read& read) {
        return fits(read) && (read.offset >= lookup.found_offset || !may_have_been_away(history, read, lookup));
      });
      if (found == reads.end() || found->offset != lookup.found_offset)
        findings.add(Anomaly::wrong_lookup, "{}: offset {} from {} ms on at {} us, and the first is {}", lookup.partition,
                     lookup.found_offset, lookup.timestamp_ms, lookup.completed_us, found != reads.end() ? found->offset : -1);
    }
  }
}

void check_retention(const History& history, const ObservedLogs& observed, Findings& findings) {
  const bool keeps_all = history.retention_ms < 0 && history.retention_bytes < 0;
  std::map<Partition, std::map<int64_t, int64_t>> newest_ms;  // offset to the newest time up to it
  for (const auto& [value, writer] : observed.writer) {
    const auto place = observed.place.find(value);
    if (place == observed.place.end()) continue;
    for (const Sent& sent : writer->sent)
      if (sent.value == value && sent.timestamp_ms >= 0) newest_ms[place->second.first][place->second.second] = sent.timestamp_ms;
  }
  for (auto& [partition, times] : newest_ms) {
    int64_t newest = -1;
    for (auto& [offset, time] : times) newest = time = std::max(newest, time);
  }
  for (const LogStart& told : history.log_starts) {
    if (told.offset <= 0) continue;
    if (keeps_all) {
      findings.add(Anomaly::removed_too_early, "{}: the log starts at {} at {} us, without retention", told.partition,
                   told.offset, told.completed_us);
    } else if (history.retention_ms >= 0) {
      const std::map<int64_t, int64_t>& times = newest_ms[told.partition];
      const auto after = times.lower_bound(told.offset);
      if (after == times.begin() || std::prev(after)->second + history.retention_ms < told.told_ms) continue;
      findings.add(Anomaly::removed_too_early, "{}: the log starts at {} at {} ms, and a value of {} ms lay before it", told.partition,
                   told.offset, told.told_ms, std::prev(after)->second);
    }
  }
  for (const History::FinalRead& log : history.final_reads)
    if (history.retention_bytes >= 0 && log.log_start_offset > 0 && log.size_bytes >= 0 && log.size_bytes < history.retention_bytes)
      findings.add(Anomaly::removed_too_early, "{}: {} bytes are left of {}, the log starts at {}", log.partition, log.size_bytes,
                   history.retention_bytes, log.log_start_offset);
}

}  // namespace moldau::sim
