// The files of a segment under their names.
#include <cerrno>

#include "storage/segment.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

task<log_result<>> Segment::change_stage(FileStage stage) {
  if (!is_kept_readable_) close_files();
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index}) {
    if (kind == FileKind::transaction_index && !transaction_index_.may_exist()) continue;
    const auto renamed = co_await log_.files().rename(path(kind), file_path(directory_, base_offset_, kind, stage));
    if (!renamed && renamed.error().error_number != ENOENT) co_return fail(Error(renamed.error()));
  }
  stage_ = stage;
  co_return log_result<>{};
}

task<log_result<>> Segment::keep_readable() {
  MOLDAU_CO_CHECK(co_await need_offset_index());
  MOLDAU_CO_CHECK(co_await need_time_index());
  MOLDAU_CO_CHECK(co_await max_timestamp());
  MOLDAU_CO_TRY(const FilePtr log, co_await log_file());
  log_.keep_open();
  MOLDAU_CO_CHECK(co_await offset_index_.file().keep_open(path(FileKind::offset_index)));
  MOLDAU_CO_CHECK(co_await time_index_.file().keep_open(path(FileKind::time_index)));
  MOLDAU_CO_CHECK(co_await transaction_index_.keep_open(path(FileKind::transaction_index)));
  is_kept_readable_ = true;
  co_return log_result<>{};
}

task<log_result<>> Segment::set_modified_ms(int64_t modified_ms) {
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index})
    MOLDAU_CO_CHECK(co_await log_.files().set_modified_ms(path(kind), modified_ms));
  co_return log_result<>{};
}

task<log_result<>> Segment::remove_files() {
  close_files();
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index}) {
    const auto removed = co_await log_.files().remove(path(kind));
    if (!removed && removed.error().error_number != ENOENT) co_return fail(Error(removed.error()));
  }
  co_return log_result<>{};
}

}  // namespace moldau::storage
