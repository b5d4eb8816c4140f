#include <algorithm>

#include "checker/observed_log.h"

namespace moldau::sim {

namespace {

// Sorts pointers into one vector by a time; equal times in the order of the vector.
template <class T>
void sort_by(std::vector<const T*>& pointers, int64_t T::*time) {
  std::ranges::sort(pointers, [time](const T* a, const T* b) { return a->*time != b->*time ? a->*time < b->*time : a < b; });
}

// The operations of each process, in the order in which they began.
std::map<int, std::vector<const Operation*>> by_process(const History& history) {
  std::map<int, std::vector<const Operation*>> processes;
  for (const Operation& operation : history.operations) processes[operation.process].push_back(&operation);
  for (auto& [process, operations] : processes)
    sort_by(operations, &Operation::invoked_us);
  return processes;
}

void check_step(const ObservedLogs& observed, const Partition& partition, int64_t from, int64_t to, int process,
                Anomaly backwards, Anomaly skipped, Findings& findings) {
  if (to <= from) {
    findings.add(backwards, "process {} read {} offset {} and then {}", process, partition, from, to);
  } else if (const int count = observed.values_between(partition, from, to)) {
    findings.add(skipped, "process {} read {} offset {} and then {}, passing over {} values", process, partition, from, to, count);
  }
}

// The offset that `sent` has: as acknowledged, or as somebody read it.
std::optional<int64_t> offset_of(const ObservedLogs& observed, const Sent& sent) {
  if (sent.offset) return sent.offset;
  const auto place = observed.place.find(sent.value);
  if (place == observed.place.end() || place->second.first != sent.partition) return std::nullopt;
  return place->second.second;
}

}  // namespace

void check_polls(const History& history, const ObservedLogs& observed, Findings& findings) {
  for (const auto& [process, operations] : by_process(history)) {
    std::map<Partition, int64_t> last;  // read by this process before
    for (const Operation* operation : operations) {
      std::map<Partition, int64_t> in_this_poll;
      for (const Partition& partition : operation->repositioned) last.erase(partition);
      for (const Read& read : operation->read) {
        if (const auto before = in_this_poll.find(read.partition); before != in_this_poll.end())
          check_step(observed, read.partition, before->second, read.offset, process, Anomaly::backwards_in_poll,
                     Anomaly::skipped_in_poll, findings);
        else if (const auto earlier = last.find(read.partition); earlier != last.end())
          check_step(observed, read.partition, earlier->second, read.offset, process, Anomaly::backwards_between_polls,
                     Anomaly::skipped_between_polls, findings);
        in_this_poll[read.partition] = read.offset;
      }
      for (const auto& [partition, offset] : in_this_poll) last[partition] = offset;
    }
  }
  for (const History::FinalRead& final_read : history.final_reads)
    for (size_t i = 1; i < final_read.read.size(); ++i)
      check_step(observed, final_read.partition, final_read.read[i - 1].offset, final_read.read[i].offset, -1,
                 Anomaly::backwards_in_poll, Anomaly::skipped_in_poll, findings);
}

void check_order(const History& history, const ObservedLogs& observed, Findings& findings) {
  for (const auto& [process, operations] : by_process(history)) {
    std::map<Partition, int64_t> last;
    for (const Operation* operation : operations) {
      if (operation->outcome == Outcome::fail) continue;
      for (const Sent& sent : operation->sent) {
        const std::optional<int64_t> offset = offset_of(observed, sent);
        if (!offset) continue;
        const auto [before, is_first] = last.try_emplace(sent.partition, *offset);
        if (is_first) continue;
        if (*offset <= before->second)
          findings.add(Anomaly::reordered_send, "process {} sent value {} to {} offset {} after one at {}", process,
                       sent.value, sent.partition, *offset, before->second);
        before->second = *offset;
      }
    }
  }

  // A log is linearizable if offsets agree with real time: whoever begins after another's end gets a higher one.
  struct Written {
    int64_t invoked_us;
    int64_t completed_us;
    int64_t offset;
    Value value;
  };
  std::map<Partition, std::vector<Written>> written;
  for (const Operation& operation : history.operations) {
    if (operation.outcome != Outcome::ok) continue;
    for (const Sent& sent : operation.sent)
      if (sent.offset) written[sent.partition].push_back({operation.invoked_us, operation.completed_us, *sent.offset, sent.value});
  }
  for (auto& [partition, writes] : written) {
    std::vector<const Written*> by_end;
    for (const Written& write : writes) by_end.push_back(&write);
    sort_by(by_end, &Written::completed_us);
    std::vector<const Written*> by_start = by_end;
    sort_by(by_start, &Written::invoked_us);
    const Written* highest = nullptr;  // of those that ended before the current one began
    size_t ended = 0;
    for (const Written* write : by_start) {
      for (; ended < by_end.size() && by_end[ended]->completed_us < write->invoked_us; ++ended)
        if (highest == nullptr || by_end[ended]->offset > highest->offset) highest = by_end[ended];
      if (highest != nullptr && write->offset < highest->offset)
        findings.add(Anomaly::real_time_order, "{}: value {} began at {} us and got offset {}; value {} had ended at {} us with {}",
                     partition, write->value, write->invoked_us, write->offset, highest->value, highest->completed_us, highest->offset);
    }
  }
}

void check_watermarks(const History& history, Findings& findings) {
  std::map<Partition, std::vector<const Watermarks*>> told;
  for (const Watermarks& each : history.watermarks) told[each.partition].push_back(&each);
  for (auto& [partition, by_end] : told) {
    sort_by(by_end, &Watermarks::completed_us);
    std::vector<const Watermarks*> by_start = by_end;
    sort_by(by_start, &Watermarks::invoked_us);
    int64_t high_watermark = -1;
    int64_t last_stable_offset = -1;
    size_t ended = 0;
    for (const Watermarks* now : by_start) {
      if (now->last_stable_offset != now->high_watermark)
        findings.add(Anomaly::unstable_without_cause, "{}: last stable offset {} below high watermark {} at {} us", partition,
                     now->last_stable_offset, now->high_watermark, now->completed_us);
      for (; ended < by_end.size() && by_end[ended]->completed_us < now->invoked_us; ++ended) {
        high_watermark = std::max(high_watermark, by_end[ended]->high_watermark);
        last_stable_offset = std::max(last_stable_offset, by_end[ended]->last_stable_offset);
      }
      if (now->high_watermark < high_watermark)
        findings.add(Anomaly::watermark_regress, "{}: high watermark {} at {} us after {}", partition, now->high_watermark,
                     now->completed_us, high_watermark);
      if (now->last_stable_offset < last_stable_offset)
        findings.add(Anomaly::watermark_regress, "{}: last stable offset {} at {} us after {}", partition,
                     now->last_stable_offset, now->completed_us, last_stable_offset);
    }
  }
}

}  // namespace moldau::sim
