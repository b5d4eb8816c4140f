// Reading: from an offset to a range of a file, from a time to an offset. Nothing is copied here; what is looked at is
// headers, and for a lookup by time the records of one batch. What nobody has looked at since the log was opened is checked
// first (log_damage.cc); from there on it is given away unseen.
#include <algorithm>

#include "base/mutant.h"
#include "protocol/legacy_batch.h"
#include "protocol/record_places.h"
#include "storage/log.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::FilePtr;
using runtime::task;

namespace {

log_result<std::optional<FoundOffset>> find_legacy_record(ByteView bytes, int64_t timestamp_ms, Offset start) {
  const auto batch = protocol::read_legacy_batch(bytes);
  if (!batch) return fail(Error(ErrorCode::corrupt_message, batch.error().what));
  for (const protocol::LegacyRecord& record : batch->records)
    if (record.timestamp_ms >= timestamp_ms && record.offset >= start)
      return FoundOffset{record.timestamp_ms, record.offset, no_leader_epoch};
  return std::nullopt;
}

// The first record of the batch that is at least so new and not below `start`.
log_result<std::optional<FoundOffset>> find_record(ByteView batch, int64_t timestamp_ms, Offset start) {
  protocol::RecordPlaces records(batch);
  const LeaderEpoch epoch = records.header().leader_epoch;
  while (true) {
    const auto record = records.next();
    if (!record) return fail(Error(ErrorCode::corrupt_message, record.error().what));
    if (!*record) return std::nullopt;
    if ((*record)->timestamp_ms >= timestamp_ms && (*record)->offset >= start)
      return FoundOffset{(*record)->timestamp_ms, (*record)->offset, epoch};
  }
}

// Looks through the sound bytes of a segment from `position` to `end`; batches that end below `start` are passed over. Nobody can tell
// how much a compressed one holds, so it is looked through off the shard.
task<log_result<std::optional<FoundOffset>>> search(runtime::Environment& environment, SegmentPtr segment, uint32_t position, uint32_t end,
                                                    int64_t timestamp_ms, Offset start) {
  MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
  BatchScanner scanner(file, position, end);
  while (true) {
    const ScanStep step = scanner.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await scanner.fill());
      continue;
    }
    if (step == ScanStep::damaged) co_return fail(Error(ErrorCode::corrupt_message, scanner.damage()));
    if (step == ScanStep::end) co_return std::optional<FoundOffset>{};
    if (scanner.header().max_timestamp_ms < timestamp_ms || scanner.header().last_offset() < start) continue;
    Bytes batch(scanner.header().size_bytes());
    MOLDAU_CO_TRY(const size_t got, co_await file->read_at(scanner.position(), batch));
    if (got < batch.size()) co_return std::optional<FoundOffset>{};
    log_result<std::optional<FoundOffset>> found;
    const auto look = [&] {
      found = scanner.header().magic < 2 ? find_legacy_record(batch, timestamp_ms, start) : find_record(batch, timestamp_ms, start);
    };
    if (scanner.header().codec() == protocol::Codec::none)
      look();
    else
      co_await environment.run_off_shard(look);
    if (!found || *found) co_return found;
  }
}

// Whether a segment that a reader holds has been taken out of the log meanwhile, or is about to be.
bool is_gone(const std::map<Offset, SegmentPtr>& segments, const SegmentPtr& segment, Offset log_start) {
  if (MOLDAU_MUTANT("removed-segment-taken-for-damage")) return false;
  const auto at = segments.find(segment->base_offset());
  if (at == segments.end() || at->second != segment) return true;
  const auto next = std::next(at);
  return next != segments.end() && next->first <= log_start;
}

}  // namespace

task<log_result<Log::Place>> Log::resolve(Place place) {
  if (place.segment_base != no_offset) co_return place;
  if (place.offset == end_.offset) co_return end_;
  for (SegmentPtr segment = floor_segment(place.offset); segment != nullptr;
       segment = higher_segment(segment->base_offset())) {
    auto found = co_await find_for_reader(segment, place.offset);
    const DamagedRange* damage = found ? nullptr : segment->trust().damage_at_offset(place.offset);
    if (!found && damage == nullptr && is_gone(segments_, segment, log_start_offset_)) continue;
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
    if (!is_gone(segments_, at, log_start_offset_)) return fail(noted(std::move(error)));
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

// Checks a part, looks through it, and goes on with the next part; what is damaged is passed over.
task<log_result<std::optional<FoundOffset>>> Log::search_checked(SegmentPtr segment, uint32_t position, int64_t timestamp_ms,
                                                                 Offset start) {
  constexpr uint32_t part_bytes = 256 * 1024;
  while (position < segment->size_bytes()) {
    const uint32_t size = segment->size_bytes();
    const uint32_t wanted_end = position + std::min(part_bytes, size - position);
    if (!segment->trust().is_known(position, wanted_end)) MOLDAU_CO_CHECK(co_await make_known(segment, position, wanted_end));
    SegmentTrust& trust = segment->trust();
    const uint32_t end = std::min(std::max(trust.reach_of(position), position), trust.sound_end(position, size));
    MOLDAU_CO_TRY(const auto found, co_await search(*options_.environment, segment, position, end, timestamp_ms, start));
    if (found) co_return found;
    const uint32_t next = segment->trust().damage_end(end);
    if (next == position) break;  // it was truncated
    position = next;
  }
  co_return std::optional<FoundOffset>{};
}

task<log_result<std::optional<FoundOffset>>> Log::offset_for_timestamp(int64_t timestamp_ms) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  if (timestamp_ms == latest_timestamp)
    co_return FoundOffset{-1, end_.offset, latest_epoch().value_or(no_leader_epoch)};
  if (timestamp_ms == earliest_timestamp || timestamp_ms == earliest_local_timestamp) {
    const auto earliest = epochs_.earliest();
    const bool is_known = earliest && earliest->start_offset <= log_start_offset_;
    co_return FoundOffset{-1, log_start_offset_, is_known ? earliest->epoch : no_leader_epoch};
  }
  if (timestamp_ms == latest_tiered_timestamp || timestamp_ms == earliest_pending_upload_timestamp)
    co_return FoundOffset{};  // nothing is tiered

  std::vector<SegmentPtr> all;
  all.reserve(segments_.size());
  for (const auto& [base, segment] : segments_) all.push_back(segment);
  if (timestamp_ms == max_timestamp) {
    SegmentPtr newest;
    TimestampOffset best{-1, Offset(0)};
    for (const SegmentPtr& segment : all) {
      auto reached = co_await segment->max_timestamp();
      if (!reached && is_gone(segments_, segment, log_start_offset_)) continue;
      if (!reached) co_return fail(noted(std::move(reached.error())));
      if (newest == nullptr || reached->timestamp_ms > best.timestamp_ms) {
        newest = segment;
        best = *reached;
      }
    }
    if (best.timestamp_ms < 0) co_return std::optional<FoundOffset>{};
    auto place = co_await newest->find(best.offset);
    if (place && !*place) co_return std::optional<FoundOffset>{};
    log_result<std::optional<FoundOffset>> found;
    if (place)
      found = co_await search_checked(newest, (*place)->position, best.timestamp_ms, Offset(0));
    else
      found = fail(std::move(place.error()));
    // Of what is left another record is the newest.
    if (!found && is_gone(segments_, newest, log_start_offset_)) co_return co_await offset_for_timestamp(timestamp_ms);
    if (!found) co_return fail(noted(std::move(found.error())));
    co_return *found;
  }
  for (const SegmentPtr& segment : all) {
    auto largest = co_await segment->largest_timestamp_ms();
    if (!largest && is_gone(segments_, segment, log_start_offset_)) continue;
    if (!largest) co_return fail(noted(std::move(largest.error())));
    if (*largest < timestamp_ms) continue;
    auto position = co_await segment->position_for_timestamp(timestamp_ms, log_start_offset_);
    if (!position && is_gone(segments_, segment, log_start_offset_)) continue;
    if (position && *position < segment->size_bytes() && !segment->trust().is_known(*position, *position + 1)) {
      // The index may be what is wrong; then it is right afterwards.
      auto known = co_await make_known(segment, *position, *position + 1);
      position = co_await segment->position_for_timestamp(timestamp_ms, log_start_offset_);
      if (!known) position = fail(std::move(known.error()));
      if (!position && is_gone(segments_, segment, log_start_offset_)) continue;
    }
    if (!position) co_return fail(noted(std::move(position.error())));
    auto found = co_await search_checked(segment, *position, timestamp_ms, log_start_offset_);
    if (!found && is_gone(segments_, segment, log_start_offset_)) continue;
    if (!found) co_return fail(noted(std::move(found.error())));
    // None, if all that is so new lies below the log start.
    if (*found) co_return *found;
  }
  co_return std::optional<FoundOffset>{};
}

}  // namespace moldau::storage
