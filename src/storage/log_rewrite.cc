// After a flush that failed: the page cache may show what the medium never got, and no flush would ever put it there, for
// the system takes its pages for clean. So what was not flushed is written again, to new files, and flushed before anybody
// sees it. Recovery has read and checked it; what it cut is not written.
#include "base/log.h"
#include "base/mutant.h"
#include "storage/log_loader.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

static constexpr std::string_view rewritten_suffix = ".rewritten";  // neither Moldau nor Kafka looks at it
static constexpr size_t rewrite_block_bytes = 256 * 1024;

task<log_result<>> LogLoader::rewrite_unflushed() {
  if (MOLDAU_MUTANT("failed-flush-page-cache-trusted")) co_return log_result<>{};
  const Offset point = std::max(log_.recovery_point_ - 1, Offset(0));
  for (const SegmentPtr& segment : log_.segments_between(point, Offset(INT64_MAX))) {
    MOLDAU_CO_CHECK(co_await rewrite(segment));
    ++report_.segments_rewritten;
  }
  MOLDAU_CO_CHECK(co_await log_.files().sync_directory(log_.directory()));
  log_.recovery_point_ = log_.durable_end_ = log_.end_.offset;
  co_return log_result<>{};
}

task<log_result<>> LogLoader::rewrite(SegmentPtr segment) {
  const std::string path = segment->path(FileKind::log);
  const std::string new_path = path + std::string(rewritten_suffix);
  {
    MOLDAU_CO_TRY(const FilePtr from, co_await segment->log_file());
    MOLDAU_CO_TRY(const FilePtr to, co_await log_.files().open(new_path, runtime::OpenMode::truncate));
    Bytes block(rewrite_block_bytes);
    for (uint64_t position = 0; position < segment->size_bytes();) {
      MOLDAU_CO_TRY(const size_t got, co_await from->read_at(position, block));
      if (got == 0) co_return fail(Error(runtime::IoError{EIO, "read", path}));
      const ByteView parts[] = {ByteView(block).first(got)};
      MOLDAU_CO_CHECK(co_await to->write_at(position, parts));
      position += got;
    }
    MOLDAU_CO_CHECK(co_await to->sync());
  }
  segment->close_files();
  MOLDAU_CO_CHECK(co_await log_.files().rename(new_path, path));
  // Recovery has built the indexes anew, over pages of which nothing is known either.
  MOLDAU_CO_TRY(const std::vector<FilePtr> unsynced, co_await segment->settle(log_.config()));
  for (const FilePtr& file : unsynced) MOLDAU_CO_CHECK(co_await file->sync());
  co_return log_result<>{};
}

}  // namespace moldau::storage
