// Compaction by the rules of docs/internals/compaction.md, over a list.
#include <algorithm>

#include "storage/model/naive_log_for_test.h"

namespace moldau::storage::test {

namespace {

std::map<std::string, Offset> newest_of_keys(const NaiveLog& log, const NaiveRound& round) {
  std::map<std::string, Offset> newest;
  for (const NaiveBatch& batch : log.batches) {
    if (batch.is_control || log.is_aborted(batch)) continue;
    for (const NaiveRecord& record : batch.records)
      if (record.key && record.offset >= round.first_dirty && record.offset < round.map_end) newest[*record.key] = record.offset;
  }
  return newest;
}

}  // namespace

CleanedBatches clean_naively(const NaiveLog& log, const NaiveRound& round) {
  CleanedBatches cleaned;
  const std::map<std::string, Offset> newest = newest_of_keys(log, round);
  const std::map<ProducerId, NaiveProducer> producers = log.producers();
  const auto is_last_of_producer = [&](const NaiveBatch& batch) {
    if (!round.known_producers.contains(batch.producer_id)) return false;
    const NaiveProducer& producer = producers.at(batch.producer_id);
    if (producer.last_data_offset != no_offset) return batch.last_offset == producer.last_data_offset;
    return batch.is_control && batch.producer_epoch == producer.epoch;
  };
  std::set<ProducerId> met;  // whose transaction at hand left something that this round met
  for (const NaiveBatch& batch : log.batches) {
    if (batch.base_offset >= round.written_end) break;
    const bool has_passed = batch.delete_horizon_ms && *batch.delete_horizon_ms <= round.now_ms;
    NaiveBatch after = batch;
    bool sets_horizon = false;
    if (batch.is_control) {
      const bool is_unneeded = met.erase(batch.producer_id) == 0 || batch.records.empty();
      if (is_unneeded && has_passed) after.records.clear();
      sets_horizon = is_unneeded;
    } else {
      if (batch.is_transactional) met.insert(batch.producer_id);
      const bool is_aborted = log.is_aborted(batch);
      std::erase_if(after.records, [&](const NaiveRecord& record) {
        if (is_aborted) return true;
        if (record.offset >= round.map_end) return false;
        if (!record.key) return true;
        const auto known = newest.find(*record.key);
        if (known != newest.end() && record.offset < known->second) return true;
        return !record.value && has_passed;
      });
      sets_horizon = std::ranges::any_of(after.records, [](const NaiveRecord& record) { return !record.value; });
    }
    if (after.records.empty()) {
      after.delete_horizon_ms.reset();
      const bool stays = is_last_of_producer(batch) || batch.next_offset() == round.upper_bound;
      cleaned[batch.base_offset] = stays ? std::optional(after) : std::nullopt;
      continue;
    }
    if (sets_horizon && !after.delete_horizon_ms) after.delete_horizon_ms = round.now_ms + round.delete_retention_ms;
    if (after != batch) {
      after.max_timestamp_ms = -1;
      for (const NaiveRecord& record : after.records) after.max_timestamp_ms = std::max(after.max_timestamp_ms, record.timestamp_ms);
    }
    cleaned[batch.base_offset] = std::move(after);
  }
  return cleaned;
}

}  // namespace moldau::storage::test
