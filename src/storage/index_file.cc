#include "storage/index_file.h"

#include <cerrno>

#include "base/assert.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::io_result;
using runtime::OpenMode;
using runtime::task;

task<io_result<bool>> IndexFile::load(std::string path) {
  const auto status = co_await slot_.files().status(path);
  if (is_loaded_) co_return false;
  if (!status && status.error().error_number != ENOENT) co_return fail(status.error());
  exists_ = status.has_value();
  const uint64_t size_bytes = exists_ ? status->size_bytes : 0;
  written_ = static_cast<uint32_t>(size_bytes / entry_size_);
  is_ragged_ = size_bytes % entry_size_ != 0;
  co_return true;
}

void IndexFile::start_empty() {
  written_ = 0;
  pending_.clear();
  is_loaded_ = true;
  is_ragged_ = false;
  is_stretched_ = true;
}

task<io_result<FilePtr>> IndexFile::file(std::string path, OpenMode mode) {
  if (FilePtr open = slot_.if_open()) return runtime::ready(io_result<FilePtr>(std::move(open)));
  return slot_.open(std::move(path), mode);
}

void IndexFile::append(ByteView entry) {
  MOLDAU_ASSERT(is_loaded_ && entry.size() == entry_size_);
  pending_.insert(pending_.end(), entry.begin(), entry.end());
}

task<io_result<>> IndexFile::write_pending(std::string path, uint64_t full_size_bytes) {
  if (pending_.empty() && exists_) co_return io_result<>{};
  MOLDAU_CO_TRY(const FilePtr open, co_await file(std::move(path), OpenMode::create));
  if (!is_stretched_ || !exists_) {
    if (full_size_bytes > uint64_t{written_} * entry_size_) MOLDAU_CO_CHECK(co_await open->truncate(full_size_bytes));
    is_stretched_ = true;
    exists_ = true;
  }
  if (!pending_.empty()) {
    const ByteView parts[] = {pending_};
    MOLDAU_CO_CHECK(co_await open->write_at(uint64_t{written_} * entry_size_, parts));
    written_ += static_cast<uint32_t>(pending_.size() / entry_size_);
    pending_.clear();
  }
  co_return io_result<>{};
}

task<io_result<>> IndexFile::read(std::string path, uint32_t from, uint32_t count, MutableByteView into) {
  MOLDAU_ASSERT(into.size() == size_t{count} * entry_size_);
  if (uint64_t{from} + count > entries()) co_return fail(runtime::IoError{EAGAIN, "read", std::move(path)});
  const uint32_t in_file = from < written_ ? std::min(count, written_ - from) : 0;
  const size_t file_bytes = size_t{in_file} * entry_size_;
  if (in_file < count) {
    const size_t pending_from = size_t{from + in_file - written_} * entry_size_;
    std::memcpy(into.data() + file_bytes, pending_.data() + pending_from, into.size() - file_bytes);
  }
  if (in_file == 0) co_return io_result<>{};
  std::string name = path;
  MOLDAU_CO_TRY(const FilePtr open, co_await file(std::move(path), OpenMode::read_write));
  MOLDAU_CO_TRY(const size_t got, co_await open->read_at(uint64_t{from} * entry_size_, into.first(file_bytes)));
  if (got != file_bytes) co_return fail(runtime::IoError{EIO, "read", std::move(name)});
  co_return io_result<>{};
}

task<io_result<>> IndexFile::truncate(std::string path, uint32_t entries_kept) {
  MOLDAU_ASSERT(entries_kept <= entries());
  if (entries_kept >= written_) {
    pending_.resize(size_t{entries_kept - written_} * entry_size_);
    co_return io_result<>{};
  }
  pending_.clear();
  written_ = entries_kept;
  // What lies beyond must read as zeros again: cut, and let the next write stretch the file.
  MOLDAU_CO_TRY(const FilePtr open, co_await file(std::move(path), OpenMode::read_write));
  MOLDAU_CO_CHECK(co_await open->truncate(uint64_t{written_} * entry_size_));
  is_stretched_ = false;
  co_return io_result<>{};
}

task<io_result<>> IndexFile::trim(std::string path) {
  if (!is_stretched_ && exists_ && pending_.empty() && !is_ragged_) co_return io_result<>{};
  MOLDAU_CO_TRY(const FilePtr open, co_await file(std::move(path), OpenMode::create));
  exists_ = true;
  if (!pending_.empty()) {
    const ByteView parts[] = {pending_};
    MOLDAU_CO_CHECK(co_await open->write_at(uint64_t{written_} * entry_size_, parts));
    written_ += static_cast<uint32_t>(pending_.size() / entry_size_);
    Bytes().swap(pending_);
  }
  MOLDAU_CO_CHECK(co_await open->truncate(uint64_t{written_} * entry_size_));
  is_stretched_ = false;
  is_ragged_ = false;
  co_return io_result<>{};
}

task<io_result<FilePtr>> IndexFile::settle(std::string path, uint64_t full_size_bytes) {
  if (!is_loaded_) co_return FilePtr{};
  MOLDAU_CO_CHECK(co_await write_pending(path, full_size_bytes));
  co_return co_await file(std::move(path), OpenMode::read_write);
}

task<io_result<>> IndexFile::keep_open(std::string path) {
  MOLDAU_ASSERT(is_loaded_);
  if (!exists_) co_return io_result<>{};
  MOLDAU_CO_TRY(const FilePtr open, co_await file(std::move(path), OpenMode::read_write));
  slot_.keep_open();
  co_return io_result<>{};
}

}  // namespace moldau::storage
