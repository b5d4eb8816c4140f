#include "storage/transaction_index.h"

#include <array>
#include <cerrno>

#include "base/bytes.h"

namespace moldau::storage {

using runtime::FilePtr;
using runtime::io_result;
using runtime::OpenMode;
using runtime::task;

namespace {

constexpr int16_t current_version = 0;

std::array<std::byte, TransactionIndex::entry_size> encode(const AbortedTransaction& aborted) {
  std::array<std::byte, TransactionIndex::entry_size> bytes;
  store_be(bytes.data(), current_version);
  store_be(bytes.data() + 2, aborted.producer_id.value());
  store_be(bytes.data() + 10, aborted.first_offset.value());
  store_be(bytes.data() + 18, aborted.last_offset.value());
  store_be(bytes.data() + 26, aborted.last_stable_offset.value());
  return bytes;
}

AbortedTransaction decode(const std::byte* at) {
  return {ProducerId(load_be<int64_t>(at + 2)), Offset(load_be<int64_t>(at + 10)), Offset(load_be<int64_t>(at + 18)),
          Offset(load_be<int64_t>(at + 26))};
}

}  // namespace

task<io_result<FilePtr>> TransactionIndex::existing(std::string path) {
  if (!may_exist_) co_return FilePtr{};
  if (FilePtr open = slot_.if_open()) co_return open;
  auto opened = co_await slot_.open(std::move(path), OpenMode::read_write);
  if (!opened && opened.error().error_number == ENOENT) {
    may_exist_ = false;
    co_return FilePtr{};
  }
  co_return opened;
}

task<io_result<>> TransactionIndex::append(std::string path, AbortedTransaction aborted) {
  unwritten_.push_back(aborted);
  co_return co_await write_waiting(std::move(path));
}

task<io_result<>> TransactionIndex::write_waiting(std::string path) {
  if (unwritten_.empty()) co_return io_result<>{};
  FilePtr file = slot_.if_open();
  if (file == nullptr) {
    MOLDAU_CO_TRY(file, co_await slot_.open(std::move(path), OpenMode::create));
  }
  may_exist_ = true;
  MOLDAU_CO_TRY(const uint64_t size_bytes, co_await file->size());
  uint64_t position = size_bytes / entry_size * entry_size;
  while (!unwritten_.empty()) {
    const auto bytes = encode(unwritten_.front());
    const ByteView parts[] = {bytes};
    MOLDAU_CO_CHECK(co_await file->write_at(position, parts));
    position += entry_size;
    unwritten_.erase(unwritten_.begin());
  }
  co_return io_result<>{};
}

task<io_result<std::vector<AbortedTransaction>>> TransactionIndex::read_all(std::string path) {
  std::vector<AbortedTransaction> all;
  MOLDAU_CO_TRY(const FilePtr file, co_await existing(std::move(path)));
  if (file == nullptr) co_return unwritten_;
  std::array<std::byte, size_t{entry_size} * 64> block;
  uint64_t position = 0;
  while (true) {
    MOLDAU_CO_TRY(const size_t got, co_await file->read_at(position, block));
    for (size_t at = 0; at + entry_size <= got; at += entry_size) {
      if (load_be<int16_t>(block.data() + at) > current_version) co_return all;
      all.push_back(decode(block.data() + at));
    }
    if (got < block.size()) break;
    position += got;
  }
  all.insert(all.end(), unwritten_.begin(), unwritten_.end());
  co_return all;
}

task<io_result<bool>> TransactionIndex::collect(std::string path, Offset fetch_offset, Offset upper_bound,
                                                std::vector<AbortedTransaction>& found) {
  if (!may_exist_ && unwritten_.empty()) co_return false;
  MOLDAU_CO_TRY(const std::vector<AbortedTransaction> all, co_await read_all(std::move(path)));
  for (const AbortedTransaction& aborted : all) {
    if (aborted.last_offset >= fetch_offset && aborted.first_offset < upper_bound) found.push_back(aborted);
    if (aborted.last_stable_offset >= upper_bound) co_return true;
  }
  co_return false;
}

task<io_result<>> TransactionIndex::truncate_to(std::string path, Offset offset) {
  std::erase_if(unwritten_, [offset](const AbortedTransaction& aborted) { return aborted.last_offset >= offset; });
  MOLDAU_CO_TRY(const std::vector<AbortedTransaction> all, co_await read_all(path));
  for (size_t kept = 0; kept < all.size(); ++kept) {
    if (all[kept].last_offset < offset) continue;
    MOLDAU_CO_TRY(const FilePtr file, co_await existing(std::move(path)));
    if (file == nullptr) co_return io_result<>{};
    co_return co_await file->truncate(kept * entry_size);
  }
  co_return io_result<>{};
}

task<io_result<>> TransactionIndex::reset(std::string path) {
  unwritten_.clear();
  MOLDAU_CO_TRY(const FilePtr file, co_await existing(std::move(path)));
  if (file == nullptr) co_return io_result<>{};
  co_return co_await file->truncate(0);
}

task<io_result<FilePtr>> TransactionIndex::settle(std::string path) {
  MOLDAU_CO_CHECK(co_await write_waiting(path));
  co_return co_await existing(std::move(path));
}

task<io_result<>> TransactionIndex::keep_open(std::string path) {
  MOLDAU_CO_TRY(const FilePtr file, co_await existing(std::move(path)));
  if (file != nullptr) slot_.keep_open();
  co_return io_result<>{};
}

}  // namespace moldau::storage
