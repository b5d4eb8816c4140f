#include "storage/model/naive_log_for_test.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace moldau::storage::test {

namespace {

std::optional<std::string> text_of(const std::optional<ByteView>& bytes) {
  return bytes ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
}

NaiveBatch decode_batch(ByteView bytes) {
  EXPECT_TRUE(protocol::is_batch_crc_right(bytes));
  protocol::RecordIterator records(bytes);
  const protocol::RecordBatchHeader& header = records.header();
  NaiveBatch batch{header.base_offset, header.last_offset(), header.leader_epoch, header.producer_id, header.producer_epoch,
                   header.base_sequence, header.last_sequence(), header.is_transactional(), header.is_control(),
                   header.max_timestamp_ms, header.delete_horizon_ms(), {}};
  while (true) {
    const auto record = records.next();
    EXPECT_TRUE(record) << record.error().what;
    if (!record || *record == nullptr) return batch;
    batch.records.push_back({(*record)->offset, (*record)->timestamp_ms, text_of((*record)->key), text_of((*record)->value)});
  }
}

}  // namespace

std::vector<NaiveBatch> decode_batches(ByteView bytes) {
  std::vector<NaiveBatch> batches;
  protocol::BatchCursor cursor(bytes);
  while (true) {
    const auto next = cursor.next();
    EXPECT_TRUE(next) << next.error().what;
    if (!next || !*next) return batches;
    batches.push_back(decode_batch((*next)->bytes));
    if (batches.size() > 1) EXPECT_GT(batches.back().base_offset, batches[batches.size() - 2].last_offset);
  }
}

std::string describe(const NaiveBatch& batch) {
  std::string text = fmt::format("batch {} to {}, epoch {}, producer {} epoch {} sequence {}{}{}, newest {}, horizon {}:", batch.base_offset,
                                 batch.last_offset, batch.leader_epoch, batch.producer_id, batch.producer_epoch, batch.base_sequence,
                                 batch.is_transactional ? " transactional" : "",
                                 !batch.is_control ? "" : batch.is_commit() ? " commit" : " control", batch.max_timestamp_ms,
                                 batch.delete_horizon_ms.value_or(-1));
  for (const NaiveRecord& record : batch.records)
    text += fmt::format(" [{} at {} {}={}]", record.offset, record.timestamp_ms, batch.is_control ? "" : record.key.value_or("none"),
                        batch.is_control ? "" : record.value.value_or("none").substr(0, 12));
  return text;
}

void PrintTo(const NaiveBatch& batch, std::ostream* to) { *to << describe(batch); }

void NaiveLog::append(NaiveBatch batch) {
  end = batch.next_offset();
  history.push_back(batch);
  batches.push_back(std::move(batch));
}

void NaiveLog::truncate_to(Offset offset) {
  const auto is_cut = [offset](const NaiveBatch& batch) { return batch.last_offset >= offset; };
  std::erase_if(batches, is_cut);
  for (const NaiveBatch& batch : history)
    if (is_cut(batch)) forgotten.erase(batch.base_offset);
  std::erase_if(history, is_cut);
  for (auto& [id, below] : ended_below) below = std::min(below, offset);
  end = std::min(end, offset);
  start = std::min(start, offset);
  high_watermark = std::min(high_watermark, offset);
}

void NaiveLog::remove_below(Offset base) {
  std::erase_if(batches, [base](const NaiveBatch& batch) { return batch.last_offset < base; });
  start = std::max(start, base);
  high_watermark = std::max(high_watermark, start);
}

void NaiveLog::take_back(std::vector<NaiveBatch> found) {
  for (const NaiveBatch& batch : found) {
    const auto at = std::ranges::lower_bound(history, batch.base_offset, {}, &NaiveBatch::base_offset);
    if (at == history.end() || at->base_offset != batch.base_offset) history.insert(at, batch);
  }
  batches = std::move(found);
}

bool NaiveLog::is_gone(const NaiveBatch& batch) const {
  return !std::ranges::binary_search(batches, batch.base_offset, {}, &NaiveBatch::base_offset);
}

void NaiveLog::forget_gone_batches_of(ProducerId id, Offset from) {
  for (const NaiveBatch& batch : history)
    if (batch.producer_id == id && batch.base_offset >= from && is_gone(batch)) forgotten.insert(batch.base_offset);
}

void NaiveLog::forget_gone_markers_of(ProducerId id) {
  for (const NaiveBatch& batch : history)
    if (batch.producer_id == id && batch.is_control && is_gone(batch)) forgotten.insert(batch.base_offset);
}

void NaiveLog::remember_from(ProducerId id, Offset from) {
  for (const NaiveBatch& batch : history) {
    if (batch.producer_id != id) continue;
    if (batch.base_offset < from)
      forgotten.insert(batch.base_offset);
    else
      forgotten.erase(batch.base_offset);
  }
}

bool NaiveLog::opens_transaction(const NaiveBatch& batch) const {
  const auto ended = ended_below.find(batch.producer_id);
  return batch.is_transactional && (ended == ended_below.end() || batch.base_offset >= ended->second);
}

std::map<ProducerId, NaiveProducer> NaiveLog::producers() const {
  std::map<ProducerId, NaiveProducer> known;
  for (const NaiveBatch& batch : history) {
    if (batch.producer_id == no_producer_id || forgotten.contains(batch.base_offset)) continue;
    NaiveProducer& producer = known[batch.producer_id];
    if (batch.producer_epoch != producer.epoch) producer = {.epoch = batch.producer_epoch, .open_from = producer.open_from};
    producer.last_offset = batch.last_offset;
    if (batch.is_control) {
      producer.open_from = no_offset;
      continue;
    }
    producer.last_sequence = batch.last_sequence;
    producer.last_data_offset = batch.last_offset;
    if (opens_transaction(batch) && producer.open_from == no_offset) producer.open_from = batch.base_offset;
    producer.recent.push_back(&batch);
    if (producer.recent.size() > 5) producer.recent.erase(producer.recent.begin());
  }
  return known;
}

const NaiveBatch* NaiveLog::marker_of(const NaiveBatch& batch) const {
  const auto behind = std::ranges::upper_bound(history, batch.base_offset, {}, &NaiveBatch::base_offset);
  const auto found = std::find_if(behind, history.end(), [&batch](const NaiveBatch& later) {
    return later.is_control && later.producer_id == batch.producer_id;
  });
  return found == history.end() ? nullptr : &*found;
}

bool NaiveLog::is_aborted(const NaiveBatch& batch) const {
  if (!batch.is_transactional || batch.is_control) return false;
  const NaiveBatch* marker = marker_of(batch);
  return marker != nullptr && !marker->is_commit();
}

// A transaction holds readers back until its marker is below the high watermark.
Offset NaiveLog::last_stable_offset() const {
  std::map<ProducerId, Offset> open;
  Offset stable = high_watermark;
  for (const NaiveBatch& batch : history) {
    if (!batch.is_transactional || forgotten.contains(batch.base_offset)) continue;
    if (!batch.is_control) {
      if (opens_transaction(batch)) open.emplace(batch.producer_id, batch.base_offset);
    } else if (const auto ended = open.extract(batch.producer_id); ended && batch.base_offset >= high_watermark) {
      stable = std::min(stable, ended.mapped());
    }
  }
  for (const auto& [id, first] : open) stable = std::min(stable, first);
  return std::min(std::max(stable, start), high_watermark);
}

Offset NaiveLog::limit(ReadIsolation isolation) const {
  switch (isolation) {
    case ReadIsolation::log_end: return end;
    case ReadIsolation::high_watermark: return high_watermark;
    case ReadIsolation::committed: break;
  }
  return last_stable_offset();
}

std::vector<NaiveBatch> NaiveLog::readable(Offset from, ReadIsolation isolation) const {
  std::vector<NaiveBatch> given;
  const Offset to = limit(isolation);
  if (from >= to) return given;
  for (const NaiveBatch& batch : batches) {
    if (batch.last_offset < from || batch.base_offset >= to) continue;
    if (isolation == ReadIsolation::committed && (batch.is_control || is_aborted(batch))) continue;
    given.push_back(batch);
  }
  return given;
}

std::optional<FoundOffset> NaiveLog::first_of_time(int64_t timestamp_ms) const {
  for (const NaiveBatch& batch : batches)
    for (const NaiveRecord& record : batch.records)
      if (record.offset >= start && record.timestamp_ms >= timestamp_ms)
        return FoundOffset{record.timestamp_ms, record.offset, batch.leader_epoch};
  return std::nullopt;
}

NaiveLog::State NaiveLog::committed_state() const {
  State state;
  for (const NaiveBatch& batch : readable(start, ReadIsolation::committed))
    for (const NaiveRecord& record : batch.records) {
      if (!record.key || record.offset < start) continue;
      if (record.value)
        state[*record.key] = *record.value;
      else
        state.erase(*record.key);
    }
  return state;
}

}  // namespace moldau::storage::test
