// What is read for the first time since the log was opened is checked first; what is damaged is quarantined, and nobody is
// given any of it. Nothing is cut or written but indexes. See docs/internals/scrubbing.md.
#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/mutant.h"
#include "storage/batch_check.h"
#include "storage/log.h"
#include "storage/segment_examination.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::FilePtr;
using runtime::task;

namespace {

constexpr uint32_t check_block_bytes = 512 * 1024;
constexpr uint32_t checked_inline_bytes = 64 * 1024;  // a few microseconds: less than another thread's attention costs

}  // namespace

Offset Log::limit_of(const Segment& segment) const {
  const SegmentPtr next = higher_segment(segment.base_offset());
  return next == nullptr ? end_.offset : next->base_offset();
}

// Afterwards every byte of the part is known to be sound or to be damaged.
task<log_result<>> Log::make_known(SegmentPtr segment, uint32_t begin, uint32_t end) {
  const auto held = co_await checking_.lock();
  if (segment->trust().is_known(begin, end)) co_return log_result<>{};
  const uint32_t unknown = std::max(segment->trust().reach_of(begin), begin);
  MOLDAU_CO_TRY(const bool is_sound, co_await check_part(segment, unknown, end));
  // With something wrong, where it begins and ends is seen best with all that lies around it.
  if (!is_sound) MOLDAU_CO_CHECK(co_await examine(segment, ExaminationTerms{}));
  co_return log_result<>{};
}

task<log_result<bool>> Log::check_part(SegmentPtr segment, uint32_t begin, uint32_t end) {
  const uint64_t truncations = truncations_;
  const uint32_t size = segment->size_bytes();
  MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
  BatchCheck check({.begin = begin,
                    .stop = end,
                    .size = size,
                    .least = segment->base_offset(),
                    .limit = limit_of(*segment),
                    .is_least_exact = begin == 0});
  Bytes block;
  bool wants_more = true;
  while (wants_more) {
    const uint64_t at = check.taken_end();
    // The front of the batch behind the part is looked at too: only it shows whether the last one's offsets are right.
    const uint64_t enough = std::max<uint64_t>(end, check.batch_end()) + protocol::record_batch_header_bytes;
    const uint64_t wanted = std::min<uint64_t>({check_block_bytes, size - at, enough - at});
    if (wanted == 0) break;
    block.resize(wanted);
    const auto read = co_await file->read_at(at, block);
    if (!read && read.error().error_number == EIO) co_return false;
    if (!read) co_return fail(Error(read.error()));
    const size_t got = *read;
    if (got == 0) break;
    const auto take = [&] { wants_more = check.take(ByteView(block).first(got)); };
    if (got <= checked_inline_bytes)
      take();
    else
      co_await options_.environment->run_off_shard(take);
  }
  check.finish();
  if (check.is_damaged()) co_return false;
  if (truncations == truncations_) segment->trust().note_verified(begin, static_cast<uint32_t>(check.sound_end()));
  co_return true;
}

task<log_result<std::optional<BatchPlace>>> Log::find_for_reader(SegmentPtr segment, Offset offset) {
  auto found = co_await segment->find_strictly(offset);
  if (MOLDAU_MUTANT("served-without-check")) co_return found;
  if (found && *found) {
    const uint32_t begin = (*found)->sought_from;
    const uint32_t end = (*found)->position + (*found)->size_bytes;
    if (segment->trust().is_known(begin, end)) co_return found;
    MOLDAU_CO_CHECK(co_await make_known(segment, begin, end));
    co_return co_await segment->find_strictly(offset);
  }
  // The index misled the search, or an offset is not here that should be unless compaction took it: then it may be that the
  // file has lost its end.
  // The disk could not read the file, or it ends too early.
  const bool is_unreadable = !found && found.error().io_error_number == EIO;
  const bool is_misled = is_unreadable || (!found && found.error().code == ErrorCode::corrupt_message &&
                                           segment->trust().damage_at_offset(offset) == nullptr);
  const bool is_missing = found && offset >= segment->base_offset() && !segment->trust().is_judged() &&
                          higher_segment(segment->base_offset()) != nullptr;
  if (!is_misled && !is_missing) co_return found;
  const auto held = co_await checking_.lock();
  if (is_misled || !segment->trust().is_judged()) MOLDAU_CO_CHECK(co_await examine(segment, ExaminationTerms{}));
  co_return co_await segment->find_strictly(offset);
}

// --- examinations ---

task<log_result<bool>> Log::examine(SegmentPtr segment, const ExaminationTerms& terms) {
  const uint64_t truncations = truncations_;
  const bool is_active = segment == segments_.rbegin()->second;
  const Offset limit = limit_of(*segment);
  MOLDAU_CO_TRY(const Examination found,
                co_await examine_segment(*options_.environment, segment, limit, is_active, terms));
  const auto at = segments_.find(segment->base_offset());
  if (!found.is_finished || truncations != truncations_ || at == segments_.end() || at->second != segment) co_return false;
  take_verdict(segment, found);
  if (!is_active) MOLDAU_CO_CHECK(co_await mend_indexes(segment, found));
  co_return true;
}

void Log::take_verdict(SegmentPtr segment, const Examination& found) {
  SegmentTrust& trust = segment->trust();
  const std::vector<DamagedRange> before = trust.damage();
  trust.judge(found.size_bytes, found.damage);
  const std::string file = segment->path(FileKind::log);
  for (const DamagedRange& range : found.damage)
    if (std::ranges::find(before, range) == before.end())
      log_error("{}-{}: offsets {} to {} are quarantined: {} bytes at position {} of {} are damaged ({})", topic(), partition(),
                range.first_offset, range.end_offset - 1, range.end - range.begin, range.begin, file, range.reason);
  for (const DamagedRange& range : before)
    if (std::ranges::find(found.damage, range) == found.damage.end())
      log_warning("{}-{}: offsets {} to {} at position {} of {} are as they were when they were quarantined no longer", topic(),
                  partition(), range.first_offset, range.end_offset - 1, range.begin, file);
  // Where the high watermark and the first open transaction are may have been read from what is damaged.
  if (before != found.damage) forget_places_in({segment});
}

task<log_result<>> Log::mend_indexes(SegmentPtr segment, const Examination& found) {
  if (!found.transaction_index_fault.empty())
    log_error("{} is damaged ({}): readers of committed records may be given aborted ones; `moldau log repair-index` builds it "
              "again while the node is stopped", segment->path(FileKind::transaction_index), found.transaction_index_fault);
  if (found.offset_index_fault.empty() && found.time_index_fault.empty()) co_return log_result<>{};
  for (const auto& [kind, fault] : {std::pair(FileKind::offset_index, &found.offset_index_fault),
                                    std::pair(FileKind::time_index, &found.time_index_fault)})
    if (!fault->empty()) log_error("{} is wrong: {}", segment->path(kind), *fault);
  const auto held = co_await mutex_.lock();
  const auto at = segments_.find(segment->base_offset());
  if (is_closed_ || at == segments_.end() || at->second != segment) co_return log_result<>{};
  if (auto built = co_await segment->rebuild_indexes(config()); !built) co_return fail(noted(std::move(built.error())));
  MOLDAU_CO_TRY(const std::vector<FilePtr> unsynced, co_await segment->settle(config()));
  for (const FilePtr& file : unsynced) {
    if (auto synced = co_await file->sync(); !synced) co_return fail(noted(Error(synced.error())));
  }
  co_return log_result<>{};
}

std::vector<QuarantinedRange> Log::quarantined() const {
  std::vector<QuarantinedRange> all;
  for (const auto& [base, segment] : segments_)
    for (const DamagedRange& range : segment->trust().damage())
      all.push_back({range.first_offset, range.end_offset, segment->path(FileKind::log), range.begin, range.end - range.begin,
                     range.reason});
  return all;
}

}  // namespace moldau::storage
