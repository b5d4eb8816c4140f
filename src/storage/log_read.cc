// Reading: from an offset to a range of a file. Nothing is copied here, and only headers are looked at. What nobody has
// looked at since the log was opened is checked first (log_damage.cc); from there on it is given away unseen.
#include <algorithm>

#include "base/mutant.h"
#include "storage/log.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::FilePtr;
using runtime::task;

bool Log::is_gone(const SegmentPtr& segment) const {
  if (MOLDAU_MUTANT("removed-segment-taken-for-damage")) return false;
  const auto at = segments_.find(segment->base_offset());
  if (at == segments_.end() || at->second != segment) return true;
  const auto next = std::next(at);
  return next != segments_.end() && next->first <= log_start_offset_;
}

task<log_result<Log::Place>> Log::resolve(Place place) {
  if (place.segment_base != no_offset) co_return place;
  if (place.offset == end_.offset) co_return end_;
  for (SegmentPtr segment = floor_segment(place.offset); segment != nullptr;
       segment = higher_segment(segment->base_offset())) {
    auto found = co_await find_for_reader(segment, place.offset);
    const DamagedRange* damage = found ? nullptr : segment->trust().damage_at_offset(place.offset);
    if (!found && damage == nullptr && is_gone(segment)) continue;
    if (!found && damage == nullptr) co_return fail(std::move(found.error()));
    if (found && !*found) continue;
    place.segment_base = segment->base_offset();
    place.position = damage != nullptr ? damage->begin : (*found)->position;
    co_return place;
  }
  co_return end_;
}

task<log_result<ReadInfo>> Log::read(Offset from, uint32_t max_bytes, bool min_one_batch, ReadIsolation isolation) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  if (from < log_start_offset_)
    co_return fail(Error(ErrorCode::offset_out_of_range, fmt::format("offset {} is below the log start of {}-{}, {}",
                                                                     from, topic(), partition(), log_start_offset_)));
  ReadInfo info;
  info.log_start_offset = log_start_offset_;
  info.high_watermark = high_watermark_.offset;
  info.last_stable_offset = last_stable_offset();
  info.log_end_offset = end_.offset;
  const Place end = end_;
  const uint64_t swaps = swaps_;
  SegmentPtr segment = floor_segment(from);
  if (from > end.offset || segment == nullptr)
    co_return fail(Error(ErrorCode::offset_out_of_range, fmt::format("offset {} is beyond the log end of {}-{}, {}", from,
                                                                     topic(), partition(), end.offset)));
  Place limit = end;
  if (isolation != ReadIsolation::log_end) {
    limit = high_watermark_;
    const bool is_held_back =
        isolation == ReadIsolation::committed && first_unstable_ && *first_unstable_ < high_watermark_.offset;
    if (is_held_back) limit = unstable_place_;
    if (from >= limit.offset) co_return info;
    if (limit.segment_base == no_offset) {
      auto resolved = co_await resolve(limit);
      if (!resolved) co_return fail(noted(std::move(resolved.error())));
      limit = *resolved;
      Place& kept = is_held_back ? unstable_place_ : high_watermark_;
      if (kept.offset == limit.offset) kept = limit;
    }
  }
  if (from >= limit.offset) co_return info;

  // Retention renames files without waiting for readers, who find nothing then; that is no fault of the directory.
  const auto failed = [&](const SegmentPtr& at, Error error) -> log_result<ReadInfo> {
    if (!is_gone(at)) return fail(noted(std::move(error)));
    if (from >= log_start_offset_) return info;  // another file has its place: the next read finds that
    return fail(Error(ErrorCode::offset_out_of_range,
                      fmt::format("offset {} of {}-{} was removed while it was read; the log start is {}", from, topic(),
                                  partition(), log_start_offset_)));
  };
  for (; segment != nullptr; segment = higher_segment(segment->base_offset())) {
    if (segment->base_offset() > limit.segment_base) co_return info;
    const uint32_t segment_end = segment->base_offset() == limit.segment_base ? limit.position : segment->size_bytes();
    auto found = co_await find_for_reader(segment, from);
    // Compaction put another segment in this one's place, which may hold what its successors held: begin again.
    if (swaps_ != swaps) co_return co_await read(from, max_bytes, min_one_batch, isolation);
    if (!found) co_return failed(segment, std::move(found.error()));
    if (!*found) continue;
    const BatchPlace& batch = **found;
    const uint32_t wanted = min_one_batch ? std::max(max_bytes, batch.size_bytes) : max_bytes;
    info.is_first_batch_incomplete = wanted < batch.size_bytes;
    info.position = batch.position;
    info.first_batch_offset = batch.base_offset;
    info.size_bytes = batch.position < segment_end ? std::min(segment_end - batch.position, wanted) : 0;
    if (info.size_bytes == 0) co_return info;
    const auto position = static_cast<uint32_t>(info.position);
    if (!segment->trust().is_verified(position, position + info.size_bytes) && !MOLDAU_MUTANT("served-without-check")) {
      if (auto known = co_await make_known(segment, position, position + info.size_bytes); !known)
        co_return failed(segment, std::move(known.error()));
      if (swaps_ != swaps || !segment->trust().is_verified(position, position + batch.size_bytes))
        co_return co_await read(from, max_bytes, min_one_batch, isolation);
      info.size_bytes = std::min(info.size_bytes, segment->trust().sound_end(position, segment->size_bytes()) - position);
    }
    auto file = co_await segment->log_file();
    if (!file) co_return failed(segment, std::move(file.error()));
    info.file = std::move(*file);
    if (isolation == ReadIsolation::committed) {
      auto aborted = co_await collect_aborted(from, segment, info);
      if (swaps_ != swaps) co_return co_await read(from, max_bytes, min_one_batch, isolation);
      if (!aborted) co_return failed(segment, std::move(aborted.error()));
    }
    co_return info;
  }
  co_return info;
}

task<log_result<>> Log::collect_aborted(Offset from, SegmentPtr segment, ReadInfo& info) {
  MOLDAU_CO_TRY(const std::optional<Offset> bound,
                co_await segment->upper_bound_offset(static_cast<uint32_t>(info.position), info.size_bytes));
  const SegmentPtr next = higher_segment(segment->base_offset());
  const Offset upper = bound ? *bound : next != nullptr ? next->base_offset() : end_.offset;
  std::vector<AbortedTransaction> aborted;
  for (; segment != nullptr; segment = higher_segment(segment->base_offset())) {
    MOLDAU_CO_TRY(const bool is_complete, co_await segment->collect_aborted(from, upper, aborted));
    if (is_complete) break;
  }
  info.aborted.reserve(aborted.size());
  for (const AbortedTransaction& transaction : aborted)
    info.aborted.push_back({transaction.producer_id, transaction.first_offset});
  co_return log_result<>{};
}

}  // namespace moldau::storage
