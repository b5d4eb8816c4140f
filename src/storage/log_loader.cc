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
  const Offset wanted_start = log_.options_.log_start_offset;
  const Offset checkpoint = log_.options_.recovery_point;
  const bool is_killed = log_.options_.was_only_killed && !log_.options_.had_clean_shutdown && !log_.options_.had_failed_flush;
  log_.options_.was_only_killed = is_killed;
  if (!log_.options_.had_clean_shutdown && !log_.segments_.empty())
    MOLDAU_CO_CHECK(co_await (is_killed ? recover_killed() : recover_unflushed()));

  Offset end = wanted_start;
  if (!log_.segments_.empty()) {
    MOLDAU_CO_TRY(end, co_await log_.active().read_next_offset());
    if (end < wanted_start) {
      // DeleteRecords may have been ahead of the flushes; what had been flushed behind the log start cannot be missing.
      std::string what = fmt::format("the log ends at {}, below its start {}; beginning anew there", end, wanted_start);
      if (checkpoint > wanted_start)
        damaged(what + ": segments are missing");
      else
        log_warning("{}: {}", log_.directory(), what);
      std::vector<SegmentPtr> all;
      for (const auto& [base, segment] : log_.segments_) all.push_back(segment);
      MOLDAU_CO_CHECK(co_await log_.remove_segments(all));
      MOLDAU_CO_CHECK(co_await log_.delete_snapshots_of(all));
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
  log_.set_end(end);
  log_.recovery_point_ = log_.options_.had_clean_shutdown ? end : std::min(checkpoint, end);
  log_.log_start_offset_ = std::max(wanted_start, log_.segments_.begin()->first);
  log_.durable_end_ = log_.recovery_point_;
  // The segment that ends at the recovery point has indexes of which a part was not flushed, or that were built again. It is
  // to be flushed with the next one, or a power cut takes its aborted transactions when the recovery point has moved on.
  if (!log_.options_.had_clean_shutdown) {
    const SegmentPtr last_flushed = log_.floor_segment(std::max(checkpoint - 1, Offset(0)));
    if (last_flushed != nullptr) log_.recovery_point_ = std::min(log_.recovery_point_, last_flushed->base_offset());
  }

  if (log_.epochs_.truncate_from_end(end)) log_.epochs_changed_ = true;
  if (log_.epochs_.truncate_from_start(wanted_start)) log_.epochs_changed_ = true;
  MOLDAU_CO_CHECK(co_await log_.write_epochs_if_room());

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
  if (!log_.options_.had_clean_shutdown) MOLDAU_CO_CHECK(co_await recall_batches(end));
  if (log_.options_.had_failed_flush) MOLDAU_CO_CHECK(co_await rewrite_unflushed());

  log_.high_watermark_ = {Offset(0)};
  log_.update_high_watermark(log_.options_.high_watermark);
  log_.update_first_unstable();
  log_.last_flush_ms_ = log_.now_ms();
  report_.segments = static_cast<uint32_t>(log_.segments_.size());
  co_return log_result<>{};
}

// --- leftovers ---

task<log_result<>> LogLoader::clear_leftovers() {
  runtime::FileSystem& files = log_.files();
  auto listed = co_await files.list(log_.directory());
  if (!listed && listed.error().error_number == ENOENT) {
    MOLDAU_CO_CHECK(co_await files.create_directories(log_.directory()));
    MOLDAU_CO_CHECK(co_await files.sync_directory(log_.log_dir()));
    co_return log_result<>{};
  }
  if (!listed) co_return fail(Error(listed.error()));
  std::vector<SegmentFileName> cleaned;
  std::vector<SegmentFileName> swaps;
  for (const runtime::DirectoryEntry& entry : *listed) {
    if (entry.is_directory) continue;
    const auto name = parse_file_name(entry.name);
    if (!name) {
      other_files_.push_back(entry.name);
      continue;
    }
    switch (name->stage) {
      case FileStage::live: files_.push_back(*name); break;
      case FileStage::deleted: MOLDAU_CO_CHECK(co_await files.remove(path(*name))); break;
      case FileStage::cleaned: cleaned.push_back(*name); break;
      case FileStage::swap: swaps.push_back(*name); break;
    }
  }
  // A swap at or behind an unfinished output belongs to the same, unfinished round of compaction.
  Offset unfinished(INT64_MAX);
  for (const SegmentFileName& name : cleaned) unfinished = std::min(unfinished, name.base_offset);
  std::vector<SegmentFileName> finished;
  for (const SegmentFileName& name : swaps) {
    if (name.base_offset < unfinished)
      finished.push_back(name);
    else
      MOLDAU_CO_CHECK(co_await files.remove(path(name)));
  }
  for (const SegmentFileName& name : cleaned) MOLDAU_CO_CHECK(co_await files.remove(path(name)));
  if (!finished.empty()) MOLDAU_CO_CHECK(co_await finish_swaps(finished));
  std::ranges::sort(files_, {}, &SegmentFileName::base_offset);
  co_return log_result<>{};
}

// Compaction had written its output whole: what it replaces goes, and it takes that place.
task<log_result<>> LogLoader::finish_swaps(const std::vector<SegmentFileName>& swaps) {
  runtime::FileSystem& files = log_.files();
  Offset first(INT64_MAX);
  Offset last(INT64_MIN);
  for (const SegmentFileName& name : swaps) {
    if (name.kind != FileKind::log) continue;
    first = std::min(first, name.base_offset);
    MOLDAU_CO_TRY(const FilePtr file, co_await files.open(path(name), runtime::OpenMode::read));
    MOLDAU_CO_TRY(const uint64_t size_bytes, co_await file->size());
    BatchScanner scanner(file, 0, size_bytes);
    Offset next = name.base_offset;
    ScanStep step = scanner.next();
    for (; step == ScanStep::batch || step == ScanStep::need_bytes; step = scanner.next()) {
      if (step == ScanStep::need_bytes)
        MOLDAU_CO_CHECK(co_await scanner.fill());
      else
        next = scanner.header().next_offset();
    }
    // Who cannot see where the output ends cannot tell what it replaces.
    if (const NewerBatch* newer = step == ScanStep::damaged ? scanner.newer_batch(next) : nullptr)
      co_return fail(newer_format_error(path(name), *newer));
    last = std::max(last, next);
  }
  std::vector<SegmentFileName> kept;
  for (const SegmentFileName& name : files_) {
    if (name.base_offset >= first && name.base_offset < last)
      MOLDAU_CO_CHECK(co_await files.remove(path(name)));
    else
      kept.push_back(name);
  }
  for (SegmentFileName name : swaps) {
    const std::string from = path(name);
    name.stage = FileStage::live;
    log_info("{}: finishing an interrupted compaction, taking {}", log_.directory(), from);
    MOLDAU_CO_CHECK(co_await files.rename(from, path(name)));
    kept.push_back(name);
  }
  MOLDAU_CO_CHECK(co_await files.sync_directory(log_.directory()));
  files_ = std::move(kept);
  co_return log_result<>{};
}

// --- what is beside the segments ---

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
