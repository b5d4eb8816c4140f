// Splitting: a segment that holds offsets further from its base than an index entry can say becomes several, when the log
// is opened. Compaction in Kafkas before 2.0 made such (KAFKA-6264). No byte of a record changes.
//
// The order is compaction's, so that a stop at any moment leaves either the old segment or all of the new ones: every piece
// is written as `.cleaned`, renamed to `.swap` from the last to the first, then the old segment goes and they take its
// place (see clear_leftovers in log_loader.cc).
#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "protocol/legacy_batch.h"
#include "runtime/shard.h"
#include "storage/log_loader.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::task;

namespace {

constexpr size_t copy_block_bytes = 256 * 1024;

// The offset of the first record in the batch that the scanner found, which an old compressed batch has inside.
log_result<Offset> first_offset(const BatchScanner& scanner) {
  const auto offset = protocol::first_offset_in_any_magic(scanner.bytes());
  if (!offset) return fail(Error(protocol::ErrorCode::corrupt_message, offset.error().what));
  return *offset;
}

}  // namespace

task<log_result<std::vector<LogLoader::Piece>>> LogLoader::pieces_of(SegmentPtr segment) {
  std::vector<Piece> pieces;
  MOLDAU_CO_TRY(FilePtr file, co_await segment->log_file());
  BatchScanner scanner(file, 0, segment->size_bytes(), ScanDepth::whole_batches);
  while (true) {
    const ScanStep step = scanner.next();
    if (step == ScanStep::need_bytes) {
      MOLDAU_CO_CHECK(co_await scanner.fill());
      if (runtime::Shard::current_or_null() != nullptr) co_await runtime::yield();
      continue;
    }
    if (step != ScanStep::batch) break;
    const Offset last = scanner.header().last_offset();
    if (pieces.empty() && segment->can_hold(last)) {
      pieces.push_back({segment->base_offset(), 0, 0});
    } else if (pieces.empty() || last - pieces.back().base_offset > INT32_MAX) {
      MOLDAU_CO_TRY(const Offset first, first_offset(scanner));
      pieces.push_back({first, static_cast<uint32_t>(scanner.position()), 0});
    }
    pieces.back().end = static_cast<uint32_t>(scanner.next_position());
  }
  // What cannot be read stays behind the last batch that can, for recovery to judge.
  if (!pieces.empty()) pieces.back().end = segment->size_bytes();
  co_return pieces;
}

task<log_result<>> LogLoader::write_piece(SegmentPtr from, Piece piece) {
  MOLDAU_CO_TRY(FilePtr source, co_await from->log_file());
  const SegmentFileName name{piece.base_offset, FileKind::log, FileStage::cleaned};
  MOLDAU_CO_TRY(const FilePtr to, co_await log_.files().open(path(name), runtime::OpenMode::truncate));
  Bytes block(copy_block_bytes);
  for (uint64_t at = piece.begin; at < piece.end;) {
    const MutableByteView wanted = MutableByteView(block).first(std::min<uint64_t>(block.size(), piece.end - at));
    MOLDAU_CO_TRY(const size_t got, co_await source->read_at(at, wanted));
    if (got < wanted.size()) co_return fail(Error(runtime::IoError{EIO, "read", source->path()}));
    const ByteView parts[] = {wanted};
    MOLDAU_CO_CHECK(co_await to->write_at(at - piece.begin, parts));
    at += got;
    if (runtime::Shard::current_or_null() != nullptr) co_await runtime::yield();
  }
  MOLDAU_CO_CHECK(co_await to->sync());
  MOLDAU_CO_TRY(const runtime::FileStatus status, co_await log_.files().status(from->path(FileKind::log)));
  MOLDAU_CO_CHECK(co_await log_.files().set_modified_ms(path(name), status.modified_ms));
  co_return log_result<>{};
}

task<log_result<>> LogLoader::split(SegmentPtr segment) {
  runtime::FileSystem& files = log_.files();
  MOLDAU_CO_TRY(std::vector<Piece> pieces, co_await pieces_of(segment));
  MOLDAU_ASSERT_MSG(!pieces.empty(), "a segment without batches does not overflow");
  log_warning("{}: offsets reach too far for its indexes; making {} segments of it", segment->path(FileKind::log),
              pieces.size());
  MOLDAU_CO_TRY(const std::vector<AbortedTransaction> aborted,
                co_await segment->transactions().read_all(segment->path(FileKind::transaction_index)));
  const auto file = [this](const Piece& piece, FileStage stage) { return path({piece.base_offset, FileKind::log, stage}); };
  for (const Piece& piece : pieces) MOLDAU_CO_CHECK(co_await write_piece(segment, piece));
  std::ranges::reverse(pieces);
  for (const Piece& piece : pieces)
    MOLDAU_CO_CHECK(co_await files.rename(file(piece, FileStage::cleaned), file(piece, FileStage::swap)));
  MOLDAU_CO_CHECK(co_await files.sync_directory(log_.directory()));

  MOLDAU_CO_CHECK(co_await segment->change_stage(FileStage::deleted));
  const Offset old_base = segment->base_offset();
  log_.segments_.erase(old_base);
  for (const Piece& piece : pieces)
    MOLDAU_CO_CHECK(co_await files.rename(file(piece, FileStage::swap), file(piece, FileStage::live)));
  MOLDAU_CO_CHECK(co_await files.sync_directory(log_.directory()));
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index}) {
    const auto removed = co_await files.remove(path({old_base, kind, FileStage::deleted}));
    if (!removed && removed.error().error_number != ENOENT) co_return fail(Error(removed.error()));
  }

  Offset end(INT64_MAX);  // of the piece that comes next in offsets
  for (const Piece& piece : pieces) {
    SegmentPtr made = log_.make_segment(piece.base_offset);
    MOLDAU_CO_CHECK(co_await made->open_existing());
    for (const AbortedTransaction& transaction : aborted)
      if (transaction.last_offset >= piece.base_offset && transaction.last_offset < end)
        co_await made->append_aborted(transaction);
    MOLDAU_CO_CHECK(co_await made->rebuild_indexes(log_.config()));
    log_.segments_.emplace(piece.base_offset, std::move(made));
    end = piece.base_offset;
  }
  co_return log_result<>{};
}

}  // namespace moldau::storage
