#include "storage/log_loader.h"

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "storage/checkpoints.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::FilePtr;
using runtime::task;

task<log_result<std::unique_ptr<Log>>> Log::open(LogOptions options, LoadReport* report) {
  if (options.health->is_offline()) co_return fail(options.health->offline_error());
  std::unique_ptr<Log> log(new Log(std::move(options)));
  LoadReport own_report;
  LogLoader loader(*log, report != nullptr ? *report : own_report);
  if (auto loaded = co_await loader.load(); !loaded) {
    log->options_.health->note(loaded.error());
    co_await log->abandon();
    co_return fail(std::move(loaded.error()));
  }
  co_return log;
}

void LogLoader::damaged(std::string what) {
  log_error("{}: {}", log_.directory(), what);
  report_.damage.push_back(std::move(what));
}

bool LogLoader::has_file(Offset base_offset, FileKind kind) const {
  return std::ranges::find(files_, SegmentFileName{base_offset, kind, FileStage::live}) != files_.end();
}

task<log_result<>> LogLoader::load() {
  MOLDAU_CO_CHECK(co_await clear_leftovers());
  MOLDAU_CO_CHECK(co_await read_small_files());
  MOLDAU_CO_CHECK(co_await open_segments());
  LogOptions& options = log_.options_;
  options.was_only_killed = options.was_only_killed && !options.had_clean_shutdown && !options.had_failed_flush;
  if (!options.had_clean_shutdown && !log_.segments_.empty())
    MOLDAU_CO_CHECK(co_await (options.was_only_killed ? recover_killed() : recover_unflushed()));
  MOLDAU_CO_TRY(const Offset end, co_await find_end());
  set_offsets(end);
  if (log_.epochs_.truncate_from_end(end)) log_.epochs_changed_ = true;
  if (log_.epochs_.truncate_from_start(options.log_start_offset)) log_.epochs_changed_ = true;
  MOLDAU_CO_CHECK(co_await log_.write_epochs_if_room());
  MOLDAU_CO_CHECK(co_await load_producers(end));
  if (!options.had_clean_shutdown) MOLDAU_CO_CHECK(co_await recall_batches(end));
  if (options.had_failed_flush) MOLDAU_CO_CHECK(co_await rewrite_unflushed());

  log_.high_watermark_ = {Offset(0)};
  log_.update_high_watermark(options.high_watermark);
  log_.update_first_unstable();
  log_.last_flush_ms_ = log_.now_ms();
  report_.segments = static_cast<uint32_t>(log_.segments_.size());
  co_return log_result<>{};
}

// Where the log ends. One that ends below its start begins anew there; one without segments gets its first.
task<log_result<Offset>> LogLoader::find_end() {
  const Offset wanted_start = log_.options_.log_start_offset;
  Offset end = wanted_start;
  if (!log_.segments_.empty()) {
    MOLDAU_CO_TRY(end, co_await log_.active().read_next_offset());
    if (end < wanted_start) {
      // DeleteRecords may have been ahead of the flushes; what had been flushed behind the log start cannot be missing.
      std::string what = fmt::format("the log ends at {}, below its start {}; beginning anew there", end, wanted_start);
      if (log_.options_.recovery_point > wanted_start)
        damaged(what + ": segments are missing");
      else
        log_warning("{}: {}", log_.directory(), what);
      MOLDAU_CO_CHECK(co_await drop(log_.all_segments()));
      log_.epochs_.clear();
      log_.epochs_changed_ = true;
      end = wanted_start;
    }
  }
  if (log_.segments_.empty()) {
    SegmentPtr first = log_.make_segment(wanted_start);
    MOLDAU_CO_CHECK(co_await first->create());
    log_.segments_.emplace(wanted_start, std::move(first));
    log_.producers_.clear(wanted_start);
  }
  log_.active().expect_indexes();
  co_return end;
}

void LogLoader::set_offsets(Offset end) {
  const LogOptions& options = log_.options_;
  log_.set_end(end);
  log_.recovery_point_ = options.had_clean_shutdown ? end : std::min(options.recovery_point, end);
  log_.log_start_offset_ = std::max(options.log_start_offset, log_.segments_.begin()->first);
  log_.durable_end_ = log_.recovery_point_;
  // The segment that ends at the recovery point has indexes of which a part was not flushed, or that were built again. It is
  // to be flushed with the next one, or a power cut takes its aborted transactions when the recovery point has moved on.
  if (!options.had_clean_shutdown) {
    const SegmentPtr last_flushed = log_.floor_segment(std::max(options.recovery_point - 1, Offset(0)));
    if (last_flushed != nullptr) log_.recovery_point_ = std::min(log_.recovery_point_, last_flushed->base_offset());
  }
}

task<log_result<>> LogLoader::load_producers(Offset end) {
  // Snapshots that no segment begins with are remains, but for the newest, which a clean stop leaves at the log end.
  std::vector<Offset> strays;
  for (const Offset snapshot : log_.snapshots_)
    if (!log_.segments_.contains(snapshot)) strays.push_back(snapshot);
  if (!strays.empty() && strays.back() >= log_.active().base_offset()) strays.pop_back();
  for (const Offset stray : strays) MOLDAU_CO_CHECK(co_await log_.remove_snapshot(stray));
  if (!log_.options_.was_only_killed || log_.producers_.end_offset() != end)
    MOLDAU_CO_CHECK(co_await log_.rebuild_producers(end, log_.options_.had_clean_shutdown));
  else if (log_.is_far_from_snapshot())
    co_await log_.write_passing_snapshot();
  log_.producers_.expire(log_.expiry_now_ms());
  co_return log_result<>{};
}

task<log_result<>> LogLoader::read_small_files() {
  const auto has = [this](std::string_view name) { return std::ranges::find(other_files_, name) != other_files_.end(); };
  const std::string epochs_path = fmt::format("{}/{}", log_.directory(), leader_epoch_file);
  if (has(leader_epoch_file)) {
    MOLDAU_CO_TRY(const Bytes text, co_await runtime::read_file(log_.files(), epochs_path));
    auto epochs = decode_leader_epochs(text);
    if (epochs)
      log_.epochs_ = std::move(*epochs);
    else
      damaged(fmt::format("{} cannot be read ({}); epochs are taken from the records", epochs_path, epochs.error()));
  } else {
    MOLDAU_CO_TRY(const FilePtr file, co_await log_.files().open(epochs_path, runtime::OpenMode::create));
  }

  const std::string metadata_path = fmt::format("{}/{}", log_.directory(), partition_metadata_file);
  std::optional<Uuid>& topic_id = log_.options_.topic_id;
  if (!has(partition_metadata_file)) {
    if (topic_id)
      MOLDAU_CO_CHECK(co_await runtime::write_file_atomically(log_.files(), metadata_path,
                                                              encode_partition_metadata(*topic_id)));
    co_return log_result<>{};
  }
  MOLDAU_CO_TRY(const Bytes text, co_await runtime::read_file(log_.files(), metadata_path));
  const auto stored = decode_partition_metadata(text);
  if (!stored)
    co_return fail(Error(ErrorCode::kafka_storage_error, fmt::format("{} cannot be read: {}", metadata_path,
                                                                     stored.error())));
  if (topic_id && *topic_id != *stored)
    co_return fail(Error(ErrorCode::inconsistent_topic_id, fmt::format("{} belongs to topic id {}, not {}",
                                                                       log_.directory(), *stored, *topic_id)));
  topic_id = *stored;
  co_return log_result<>{};
}

task<log_result<>> Log::assign_topic_id(Uuid topic_id) {
  if (options_.topic_id) {
    if (*options_.topic_id == topic_id) co_return log_result<>{};
    co_return fail(Error(ErrorCode::inconsistent_topic_id, fmt::format("{} belongs to topic id {}, not {}", directory(),
                                                                       *options_.topic_id, topic_id)));
  }
  const auto held = co_await mutex_.lock();
  const std::string path = fmt::format("{}/{}", directory(), partition_metadata_file);
  auto written = co_await runtime::write_file_atomically(files(), path, encode_partition_metadata(topic_id));
  if (!written) co_return fail(noted(Error(written.error())));
  options_.topic_id = topic_id;
  co_return log_result<>{};
}

task<log_result<>> LogLoader::open_segments() {
  std::vector<SegmentPtr> without_index;
  for (const SegmentFileName& name : files_) {
    if (name.kind == FileKind::producer_snapshot) {
      log_.snapshots_.push_back(name.base_offset);
    } else if (name.kind == FileKind::log) {
      SegmentPtr segment = log_.make_segment(name.base_offset, has_file(name.base_offset, FileKind::transaction_index));
      MOLDAU_CO_CHECK(co_await segment->open_existing());
      if (!has_file(name.base_offset, FileKind::offset_index)) without_index.push_back(segment);
      log_.segments_.emplace(name.base_offset, std::move(segment));
    } else if (!has_file(name.base_offset, FileKind::log)) {
      log_warning("{}: removing an index without its log", path(name));
      MOLDAU_CO_CHECK(co_await log_.files().remove(path(name)));
    }
  }
  for (const SegmentPtr& segment : without_index) {
    const bool is_last = segment == log_.segments_.rbegin()->second;
    const bool will_be_recovered =
        !log_.options_.had_clean_shutdown &&
        (is_last || (!log_.options_.was_only_killed &&
                     log_.higher_segment(segment->base_offset())->base_offset() > log_.options_.recovery_point));
    // A segment that was rolled just before the stop has no index yet.
    if (will_be_recovered || segment->size_bytes() == 0) continue;
    log_error("{} has no offset index; it is built again", segment->path(FileKind::log));
    MOLDAU_CO_TRY(const bool is_whole, co_await segment->rebuild_indexes(log_.config()));
    if (!is_whole) MOLDAU_CO_CHECK(co_await split(segment));
  }
  co_return co_await split_overflown();
}

// A segment that nothing else looks into, after a clean stop, and whose successor begins further away than an offset in its
// indexes can say: it may hold such offsets itself, and compaction could not write it again.
task<log_result<>> LogLoader::split_overflown() {
  std::vector<SegmentPtr> wide;
  for (auto at = log_.segments_.begin(); log_.options_.had_clean_shutdown && at != log_.segments_.end(); ++at) {
    const auto next = std::next(at);
    if (next != log_.segments_.end() && at->second->is_overflown_by(next->first - 1)) wide.push_back(at->second);
  }
  for (const SegmentPtr& segment : wide) {
    MOLDAU_CO_TRY(const std::vector<Piece> pieces, co_await pieces_of(segment));
    const bool is_overflown = pieces.size() > 1 || (!pieces.empty() && pieces.front().base_offset != segment->base_offset());
    if (is_overflown) MOLDAU_CO_CHECK(co_await split(segment));
  }
  co_return log_result<>{};
}

}  // namespace moldau::storage
