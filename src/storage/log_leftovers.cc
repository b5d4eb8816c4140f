// What a stop in the middle of a deletion or of compaction has left in a log's directory.
#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "storage/log_loader.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

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

}  // namespace moldau::storage
