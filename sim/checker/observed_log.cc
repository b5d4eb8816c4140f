#include "checker/observed_log.h"

namespace moldau::sim {

namespace {
void note(ObservedLogs& observed, const Partition& partition, int64_t offset, Value value) {
  observed.logs[partition].at[offset].insert(value);
  const std::pair<Partition, int64_t> here{partition, offset};
  const auto [place, is_new] = observed.place.try_emplace(value, here);
  if (!is_new && here < place->second) place->second = here;
}
}  // namespace

ObservedLogs observe(const History& history) {
  ObservedLogs observed;
  const auto note_read = [&](const Read& read) {
    note(observed, read.partition, read.offset, read.value);
    observed.logs[read.partition].read.insert(read.value);
  };
  for (const Operation& operation : history.operations) {
    for (const Read& read : operation.read) note_read(read);
    for (const Sent& sent : operation.sent) {
      observed.writer[sent.value] = &operation;
      if (operation.outcome == Outcome::ok && sent.offset) note(observed, sent.partition, *sent.offset, sent.value);
    }
  }
  for (const History::FinalRead& final_read : history.final_reads)
    for (const Read& read : final_read.read) note_read(read);
  return observed;
}

int ObservedLogs::values_between(const Partition& partition, int64_t low, int64_t high) const {
  const auto log = logs.find(partition);
  if (log == logs.end()) return 0;
  int count = 0;
  for (auto it = log->second.at.upper_bound(low); it != log->second.at.end() && it->first < high; ++it) ++count;
  return count;
}

void check_log(const History& history, const ObservedLogs& observed, Findings& findings) {
  std::map<Value, int> places;
  for (const auto& [partition, log] : observed.logs) {
    for (const auto& [offset, values] : log.at) {
      if (values.size() > 1)
        findings.add(Anomaly::inconsistent_offset, "{} offset {} holds {}", partition, offset, fmt::join(values, " and "));
      for (const Value value : values)
        if (++places[value] == 2) findings.add(Anomaly::duplicate, "value {} is at {} offset {} too", value, partition, offset);
      for (const Value value : values) {
        const auto writer = observed.writer.find(value);
        if (writer != observed.writer.end() && writer->second->outcome == Outcome::fail && log.read.contains(value))
          findings.add(Anomaly::aborted_read, "value {} at {} offset {} was read, its writer failed", value, partition, offset);
      }
    }
  }
  // What was acknowledged, or seen by anybody (stability), is there in the end.
  for (const History::FinalRead& final_read : history.final_reads) {
    std::set<Value> there;
    for (const Read& read : final_read.read) there.insert(read.value);
    for (const Operation& operation : history.operations) {
      if (operation.outcome == Outcome::fail) continue;
      for (const Sent& sent : operation.sent) {
        if (sent.partition != final_read.partition || there.contains(sent.value)) continue;
        const auto place = observed.place.find(sent.value);
        const bool was_seen = place != observed.place.end() && observed.logs.at(place->second.first).read.contains(sent.value);
        if (operation.outcome == Outcome::info && !was_seen) continue;
        if (place != observed.place.end() && place->second.second < final_read.log_start_offset) continue;
        findings.add(Anomaly::lost_write, "value {} of process {}, {} at {} us, is not in {}", sent.value, operation.process,
                     was_seen ? "read by somebody" : "acknowledged", operation.completed_us, sent.partition);
      }
    }
  }
  for (const Operation& operation : history.operations)
    for (const Sent& sent : operation.sent)
      for (const Read& read : operation.read)
        if (read.value == sent.value)
          findings.add(Anomaly::own_read, "process {} read {} in the operation that wrote it", operation.process, read.value);
}

}  // namespace moldau::sim
