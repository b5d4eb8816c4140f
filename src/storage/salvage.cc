#include "storage/salvage.h"

#include <algorithm>
#include <cerrno>

#include "storage/checkpoints.h"
#include "storage/stopped_partition.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::FilePtr;
using runtime::task;

namespace {

constexpr uint64_t copy_block_bytes = 1 << 20;

// Copies the sound stretches of `from` to the file at `path`, one behind the other.
task<log_result<uint64_t>> copy_sound(runtime::FileSystem& files, SegmentPtr from, std::string path) {
  MOLDAU_CO_TRY(FilePtr source, co_await from->log_file());
  MOLDAU_CO_TRY(const FilePtr to, co_await files.open(path, runtime::OpenMode::create_new));
  const uint32_t size = from->size_bytes();
  uint64_t written = 0;
  Bytes block(copy_block_bytes);
  for (uint32_t begin = 0; begin < size;) {
    const uint32_t end = from->trust().sound_end(begin, size);
    for (uint64_t at = begin; at < end;) {
      const MutableByteView wanted = MutableByteView(block).first(std::min<uint64_t>(block.size(), end - at));
      MOLDAU_CO_TRY(const size_t got, co_await source->read_at(at, wanted));
      if (got < wanted.size()) co_return fail(Error(runtime::IoError{EIO, "read", source->path()}));
      const ByteView parts[] = {wanted};
      MOLDAU_CO_CHECK(co_await to->write_at(written, parts));
      written += got;
      at += got;
    }
    begin = from->trust().damage_end(end);
  }
  MOLDAU_CO_CHECK(co_await to->sync());
  co_return written;
}

task<log_result<>> copy_small_file(runtime::FileSystem& files, std::string from, std::string to) {
  auto bytes = co_await runtime::read_file(files, std::move(from));
  if (!bytes && bytes.error().error_number == ENOENT) co_return log_result<>{};
  if (!bytes) co_return fail(Error(bytes.error()));
  MOLDAU_CO_CHECK(co_await runtime::write_file_atomically(files, std::move(to), std::move(*bytes)));
  co_return log_result<>{};
}

}  // namespace

task<log_result<std::unique_ptr<runtime::FileLock>>> lock_of_partition(runtime::FileSystem& files, std::string partition) {
  while (partition.size() > 1 && partition.ends_with('/')) partition.pop_back();
  const size_t slash = partition.rfind('/');
  const std::string path = (slash == std::string::npos ? std::string(".") : partition.substr(0, slash)) + "/.lock";
  using Lock = std::unique_ptr<runtime::FileLock>;
  if (!co_await files.status(path)) co_return Lock();  // nobody ever had it
  auto locked = co_await files.lock(path);
  if (locked) co_return std::move(*locked);
  if (locked.error().error_number != EWOULDBLOCK) co_return fail(Error(locked.error()));
  co_return fail(Error(ErrorCode::kafka_storage_error, fmt::format("{} is in use: another process holds {}", partition, path)));
}

task<log_result<Salvaged>> salvage_partition(runtime::Environment& environment, std::string from, std::string to,
                                             SalvageProgress progress) {
  runtime::FileSystem& files = environment.files();
  if (co_await files.status(to))
    co_return fail(Error(ErrorCode::invalid_request, fmt::format("{} is there already; name a directory that is not", to)));
  StoppedPartition partition(environment, from, std::move(progress));
  MOLDAU_CO_CHECK(co_await partition.open());
  MOLDAU_CO_CHECK(co_await runtime::make_directories(files, to));
  Salvaged salvaged;
  for (size_t n = 0; n < partition.segments().size(); ++n) {
    const SegmentPtr& segment = partition.segments()[n];
    MOLDAU_CO_CHECK(co_await partition.examine(n, salvaged.left_out));
    Segment copy(partition.open_files(), to, segment->base_offset(), 0, 0, false);
    MOLDAU_CO_TRY(const uint64_t copied, co_await copy_sound(files, segment, copy.path(FileKind::log)));
    MOLDAU_CO_CHECK(co_await copy.open_existing());
    MOLDAU_CO_CHECK(co_await copy.rebuild_indexes(LogConfig{}));
    MOLDAU_CO_TRY(const std::vector<AbortedTransaction> aborted, co_await partition.aborted_in(segment));
    if (!aborted.empty()) MOLDAU_CO_CHECK(co_await write_transactions(copy, aborted));
    MOLDAU_CO_CHECK(co_await sync_segment(copy));
    MOLDAU_CO_TRY(const int64_t modified_ms, co_await segment->modified_ms());
    MOLDAU_CO_CHECK(co_await copy.set_modified_ms(modified_ms));
    if (copied > 0) {
      if (salvaged.first_offset == no_offset) {
        MOLDAU_CO_TRY(const auto first, co_await copy.find(copy.base_offset()));
        if (first) salvaged.first_offset = first->base_offset;
      }
      MOLDAU_CO_TRY(salvaged.end_offset, co_await copy.read_next_offset());
    }
    copy.close_files();
    salvaged.bytes_copied += copied;
    ++salvaged.segments;
  }
  for (const std::string_view name : {leader_epoch_file, partition_metadata_file})
    MOLDAU_CO_CHECK(co_await copy_small_file(files, fmt::format("{}/{}", from, name), fmt::format("{}/{}", to, name)));
  MOLDAU_CO_CHECK(co_await files.sync_directory(to));
  co_return salvaged;
}

task<log_result<RepairedIndexes>> repair_indexes(runtime::Environment& environment, std::string directory,
                                                 SalvageProgress progress) {
  StoppedPartition partition(environment, directory, std::move(progress));
  MOLDAU_CO_CHECK(co_await partition.open());
  RepairedIndexes repaired;
  for (size_t n = 0; n < partition.segments().size(); ++n) {
    const SegmentPtr& segment = partition.segments()[n];
    MOLDAU_CO_TRY(const Examination found, co_await partition.examine(n, repaired.damaged));
    ++repaired.segments;
    if (!found.offset_index_fault.empty() || !found.time_index_fault.empty()) {
      MOLDAU_CO_CHECK(co_await segment->rebuild_indexes(LogConfig{}));
      MOLDAU_CO_CHECK(co_await sync_segment(*segment));
      if (!found.offset_index_fault.empty())
        repaired.repaired.push_back({segment->path(FileKind::offset_index), found.offset_index_fault});
      if (!found.time_index_fault.empty())
        repaired.repaired.push_back({segment->path(FileKind::time_index), found.time_index_fault});
    }
    MOLDAU_CO_TRY(std::vector<AbortedTransaction> wanted, co_await partition.aborted_in(segment));
    const std::string path = segment->path(FileKind::transaction_index);
    std::string fault = found.transaction_index_fault;
    if (fault.empty()) {
      // What it says beyond that may come from records that compaction or retention took.
      MOLDAU_CO_TRY(const std::vector<AbortedTransaction> known, co_await segment->transactions().read_all(path));
      for (const AbortedTransaction& transaction : wanted)
        if (std::ranges::find(known, transaction.last_offset, &AbortedTransaction::last_offset) == known.end() && fault.empty())
          fault = fmt::format("the aborted transaction of offsets {} to {} is missing", transaction.first_offset, transaction.last_offset);
      for (const AbortedTransaction& transaction : known)
        if (std::ranges::find(wanted, transaction.last_offset, &AbortedTransaction::last_offset) == wanted.end())
          wanted.push_back(transaction);
    }
    if (!fault.empty()) {
      MOLDAU_CO_CHECK(co_await write_transactions(*segment, std::move(wanted)));
      repaired.repaired.push_back({path, fault});
    }
    segment->close_files();
  }
  MOLDAU_CO_CHECK(co_await environment.files().sync_directory(directory));
  co_return repaired;
}

}  // namespace moldau::storage
