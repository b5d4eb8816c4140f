#include "storage/log.h"

#include <algorithm>

#include "base/assert.h"
#include "base/mutant.h"
#include "storage/partition_directory.h"

namespace moldau::storage {

using runtime::task;

Log::Log(LogOptions options) : options_(std::move(options)), producers_(options_.producers) {}

Log::~Log() = default;

// --- segments ---

SegmentPtr Log::make_segment(Offset base_offset, bool has_transaction_index) {
  const int64_t bound_ms = std::min(config().segment_jitter_ms, config().segment_ms);
  const int64_t jitter_ms =
      bound_ms > 0 ? static_cast<int64_t>(options_.environment->random() % static_cast<uint64_t>(bound_ms)) : 0;
  return std::make_shared<Segment>(*options_.open_files, options_.directory, base_offset, now_ms(), jitter_ms,
                                   has_transaction_index);
}

SegmentPtr Log::floor_segment(Offset offset) const {
  const auto above = segments_.upper_bound(offset);
  return above == segments_.begin() ? nullptr : std::prev(above)->second;
}

SegmentPtr Log::higher_segment(Offset base_offset) const {
  const auto above = segments_.upper_bound(base_offset);
  return above == segments_.end() ? nullptr : above->second;
}

std::vector<SegmentPtr> Log::segments_between(Offset from, Offset to) const {
  std::vector<SegmentPtr> found;
  auto at = segments_.upper_bound(from);
  if (at != segments_.begin()) --at;
  for (; at != segments_.end() && at->first < to; ++at) found.push_back(at->second);
  return found;
}

uint64_t Log::size_bytes() const {
  uint64_t sum = 0;
  for (const auto& [base, segment] : segments_) sum += segment->size_bytes();
  return sum;
}

std::vector<SegmentInfo> Log::segments() const {
  std::vector<SegmentInfo> infos;
  infos.reserve(segments_.size());
  for (const auto& [base, segment] : segments_) infos.push_back({base, segment->size_bytes()});
  return infos;
}

// --- offsets ---

void Log::set_high_watermark(Place to) {
  high_watermark_ = to;
  producers_.high_watermark_moved(to.offset);
  update_first_unstable();
}

Offset Log::update_high_watermark(Offset to) {
  if (to >= end_.offset)
    set_high_watermark(end_);
  else
    set_high_watermark({std::max(to, log_start_offset_)});
  return high_watermark_.offset;
}

void Log::update_first_unstable() {
  std::optional<Offset> first = producers_.first_unstable_offset();
  if (first) first = std::max(*first, log_start_offset_);
  if (first == first_unstable_) return;
  first_unstable_ = first;
  unstable_place_ = {first.value_or(Offset{0})};
}

Offset Log::last_stable_offset() const {
  if (MOLDAU_MUTANT("last-stable-offset-minus-one") && high_watermark_.offset > log_start_offset_) return high_watermark_.offset - 1;
  return first_unstable_ ? std::min(*first_unstable_, high_watermark_.offset) : high_watermark_.offset;
}

void Log::set_log_start(Offset to) {
  log_start_offset_ = to;
  if (high_watermark_.offset < to) update_high_watermark(to);
  // The recovery point stays where it is: what lies between has still to be flushed, or recovery cuts there, and all behind it, if
  // a power cut leaves an older log start in the checkpoint.
  if (MOLDAU_MUTANT("log-start-taken-for-flushed")) recovery_point_ = std::max(recovery_point_, to);
}

std::optional<LeaderEpoch> Log::latest_epoch() const {
  const auto latest = epochs_.latest();
  return latest ? std::optional(latest->epoch) : std::nullopt;
}

task<log_result<>> Log::assign_epoch_start(LeaderEpoch epoch, Offset start_offset) {
  if (is_offline()) co_return fail(options_.health->offline_error());
  const auto held = co_await mutex_.lock();
  if (epochs_.assign(epoch, start_offset)) epochs_changed_ = true;
  if (auto written = co_await write_epochs(); !written) co_return fail(noted(std::move(written.error())));
  co_return log_result<>{};
}

std::vector<ActiveProducer> Log::active_producers() const {
  std::vector<ActiveProducer> active;
  active.reserve(producers_.producer_count());
  for (const auto& [id, entry] : producers_.producers())
    active.push_back({id, entry.epoch, entry.last_sequence(), entry.last_timestamp_ms, entry.coordinator_epoch,
                      entry.transaction_first_offset});
  return active;
}

// --- the end ---

task<log_result<>> Log::close() {
  co_await background_.join();
  const auto held = co_await mutex_.lock();
  if (is_closed_) co_return log_result<>{};
  is_closed_ = true;
  if (is_offline()) {
    for (const auto& [base, segment] : segments_) segment->close_files();
    co_return fail(options_.health->offline_error());
  }
  auto written = co_await write_what_a_stop_leaves();
  if (written) co_return written;
  options_.health->need_recovery();
  for (const auto& [base, segment] : segments_) segment->close_files();
  co_return fail(noted(std::move(written.error())));
}

task<log_result<>> Log::write_what_a_stop_leaves() {
  MOLDAU_CO_CHECK(co_await write_snapshot(true));
  for (const auto& [base, segment] : segments_) MOLDAU_CO_CHECK(co_await segment->close());
  co_return log_result<>{};
}

task<> Log::abandon() {
  co_await background_.join();
  const auto held = co_await mutex_.lock();
  is_closed_ = true;
  for (const auto& [base, segment] : segments_) segment->close_files();
}

task<log_result<>> Log::rename_directory(std::string name) {
  const auto held = co_await mutex_.lock();
  std::string to = options_.directory.substr(0, options_.directory.rfind('/') + 1) + name;
  for (const auto& [base, segment] : segments_) segment->close_files();
  // Whoever still reads in a log that goes away may not find a file any more; from here on that says nothing of the disk.
  const auto kind = parse_partition_directory(name);
  const DirectoryHealthPtr health = options_.health;
  if (kind && (kind->kind == PartitionDirectoryKind::deleted || kind->kind == PartitionDirectoryKind::stray)) {
    options_.health = std::make_shared<DirectoryHealth>(health->path());
    (void)options_.health->claim_failed_flush();  // nor is it written down for the next start
  }
  if (auto renamed = co_await files().rename(options_.directory, to); !renamed) {
    options_.health = health;
    co_return fail(noted(Error(renamed.error())));
  }
  options_.directory = std::move(to);
  for (DeletedFile& file : deleted_files_)
    file.path = options_.directory + file.path.substr(file.path.rfind('/'));
  co_return log_result<>{};
}

}  // namespace moldau::storage
