// The batches before the last one of each producer. A snapshot has the last one only (Apache Kafka's format has no room for
// more), but a client may have five on their way when the node is killed, and sends all of them again whose answers it did
// not get. Those that are in the log must be known as repeats: as new ones they are out of order, which ends the producer.
#include <algorithm>
#include <ranges>
#include <unordered_map>

#include "base/mutant.h"
#include "storage/log_loader.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

// At least so much of the log's end is looked at, which is what producers may have had on their way.
static constexpr uint32_t looked_at_bytes = 256 * 1024;

namespace {

using Earlier = std::unordered_map<ProducerId, std::vector<ProducedBatch>>;

void note(const ProducerState& producers, const protocol::RecordBatchHeader& batch, Earlier& earlier) {
  if (!batch.has_producer_id() || batch.is_control()) return;
  const ProducerEntry* entry = producers.find(batch.producer_id);
  if (entry == nullptr || !entry->has_batches() || entry->batch_count == ProducerEntry::batches_kept) return;
  if (batch.producer_epoch != entry->epoch || batch.last_offset() >= entry->batches[0].first_offset()) return;
  earlier[batch.producer_id].push_back(
      {batch.last_sequence(), static_cast<int32_t>(batch.last_offset() - batch.base_offset), batch.last_offset(), batch.max_timestamp_ms});
}

ProducerEntry with_batches_before(const ProducerEntry& entry, const std::vector<ProducedBatch>& earlier) {
  const size_t taken = std::min<size_t>(earlier.size(), ProducerEntry::batches_kept - entry.batch_count);
  ProducerEntry completed = entry;
  completed.batches = {};
  completed.batch_count = 0;
  for (size_t i = earlier.size() - taken; i < earlier.size(); ++i) completed.add_batch(earlier[i]);
  for (size_t i = 0; i < entry.batch_count; ++i) completed.add_batch(entry.batches[i]);
  return completed;
}

// Where the last `wanted_bytes` of a segment begin, or somewhat before.
task<log_result<uint32_t>> position_before_end(SegmentPtr segment, Offset end, uint32_t wanted_bytes) {
  for (int64_t records = 64;; records *= 2) {
    const Offset from = std::max(end - records, segment->base_offset());
    MOLDAU_CO_TRY(const uint32_t position, co_await segment->position_near(from));
    if (from == segment->base_offset() || segment->size_bytes() - position >= wanted_bytes) co_return position;
  }
}

}  // namespace

task<log_result<>> LogLoader::recall_batches(Offset end) {
  if (log_.producers_.is_empty() || MOLDAU_MUTANT("earlier-batches-forgotten")) co_return log_result<>{};
  std::vector<std::pair<SegmentPtr, uint32_t>> parts;
  uint32_t left_bytes = looked_at_bytes;
  for (auto at = log_.segments_.rbegin(); at != log_.segments_.rend() && left_bytes > 0; ++at) {
    const SegmentPtr segment = at->second;
    MOLDAU_CO_TRY(const uint32_t position, co_await position_before_end(segment, end, left_bytes));
    parts.emplace_back(segment, position);
    left_bytes -= std::min(left_bytes, segment->size_bytes() - position);
    end = segment->base_offset();
  }
  Earlier earlier;
  for (const auto& [segment, position] : std::views::reverse(parts)) {
    MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
    BatchScanner headers(std::move(file), position, segment->size_bytes());
    while (true) {
      const ScanStep step = headers.next();
      if (step == ScanStep::need_bytes) {
        MOLDAU_CO_CHECK(co_await headers.fill());
        continue;
      }
      if (step != ScanStep::batch) break;
      note(log_.producers_, headers.header(), earlier);
    }
  }
  for (const auto& [id, batches] : earlier) log_.producers_.load(id, with_batches_before(*log_.producers_.find(id), batches));
  co_return log_result<>{};
}

}  // namespace moldau::storage
