// From a time to an offset. What is looked at is headers, and the records of the batches that may hold the one that is sought.
#include <algorithm>
#include <ranges>

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

}  // namespace

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

// As they are now: while one is searched, others may come and go.
std::vector<SegmentPtr> Log::all_segments() const {
  const auto segments = std::views::values(segments_);
  return {segments.begin(), segments.end()};
}

// The first record of a segment that is at least so new and not below the log start.
task<log_result<std::optional<FoundOffset>>> Log::search_segment(SegmentPtr segment, int64_t timestamp_ms) {
  MOLDAU_CO_TRY(const int64_t largest_ms, co_await segment->largest_timestamp_ms());
  if (largest_ms < timestamp_ms) co_return std::optional<FoundOffset>{};
  MOLDAU_CO_TRY(uint32_t position, co_await segment->position_for_timestamp(timestamp_ms, log_start_offset_));
  if (position < segment->size_bytes() && !segment->trust().is_known(position, position + 1)) {
    // The index may be what is wrong; then it is right afterwards.
    MOLDAU_CO_CHECK(co_await make_known(segment, position, position + 1));
    MOLDAU_CO_TRY(position, co_await segment->position_for_timestamp(timestamp_ms, log_start_offset_));
  }
  co_return co_await search_checked(segment, position, timestamp_ms, log_start_offset_);
}

task<log_result<std::optional<FoundOffset>>> Log::first_record_since(int64_t timestamp_ms) {
  for (const SegmentPtr& segment : all_segments()) {
    auto found = co_await search_segment(segment, timestamp_ms);
    if (!found && is_gone(segment)) continue;
    if (!found) co_return fail(noted(std::move(found.error())));
    // None, if all that is so new lies below the log start.
    if (*found) co_return *found;
  }
  co_return std::optional<FoundOffset>{};
}

task<log_result<std::optional<FoundOffset>>> Log::newest_record() {
  SegmentPtr newest;
  TimestampOffset best{-1, Offset(0)};
  for (const SegmentPtr& segment : all_segments()) {
    auto reached = co_await segment->max_timestamp();
    if (!reached && is_gone(segment)) continue;
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
  if (!found && is_gone(newest)) co_return co_await newest_record();  // of what is left another one is
  if (!found) co_return fail(noted(std::move(found.error())));
  co_return *found;
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
  if (timestamp_ms == max_timestamp) co_return co_await newest_record();
  co_return co_await first_record_since(timestamp_ms);
}

}  // namespace moldau::storage
