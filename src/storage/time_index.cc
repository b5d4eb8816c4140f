#include "storage/time_index.h"

#include "base/assert.h"
#include "base/mutant.h"
#include "storage/index_search.h"

namespace moldau::storage {

using runtime::io_result;
using runtime::task;

namespace {
int64_t relative_offset(const std::byte* entry) { return load_be<int32_t>(entry + 8); }
}  // namespace

task<io_result<TimestampOffset>> TimeIndex::entry(std::string path, uint32_t n) {
  std::array<std::byte, entry_size> bytes;
  MOLDAU_CO_CHECK(co_await file_.read(std::move(path), n, 1, bytes));
  co_return TimestampOffset{load_be<int64_t>(bytes.data()), base_offset_ + relative_offset(bytes.data())};
}

task<io_result<bool>> TimeIndex::load(std::string path) {
  MOLDAU_CO_TRY(const bool is_first, co_await file_.load(path));
  if (!is_first) co_return true;
  const uint32_t count = entries();  // another task that loads may find the file gone
  TimestampOffset first{-1, base_offset_};
  TimestampOffset last = first;
  if (count > 0) {
    MOLDAU_CO_TRY(first, co_await entry(path, 0));
    MOLDAU_CO_TRY(last, co_await entry(std::move(path), count - 1));
  }
  if (file_.is_loaded()) co_return true;
  last_ = last;
  file_.note_loaded();
  co_return !file_.is_ragged() && last.offset >= base_offset_ && last.timestamp_ms >= first.timestamp_ms;
}

task<io_result<>> TimeIndex::load_after_kill(std::string path) {
  MOLDAU_CO_CHECK(co_await file_.load(path));
  MOLDAU_CO_TRY(uint32_t kept, co_await count_written<entry_size>(file_, path, [](const std::byte* at) {
    return load_be<int64_t>(at) == 0 && relative_offset(at) == 0;
  }));
  // An entry can lie across two pages, and the process can have been killed between them.
  if (kept > 1) {
    MOLDAU_CO_TRY(const TimestampOffset before, co_await entry(path, kept - 2));
    MOLDAU_CO_TRY(const TimestampOffset last, co_await entry(path, kept - 1));
    if (last.timestamp_ms <= before.timestamp_ms || last.offset < before.offset) --kept;
  }
  file_.keep_written(kept);
  last_ = {-1, base_offset_};
  if (kept > 0) {
    MOLDAU_CO_TRY(last_, co_await entry(std::move(path), kept - 1));
  }
  file_.note_loaded();
  co_return io_result<>{};
}

void TimeIndex::start_empty() {
  file_.start_empty();
  last_ = {-1, base_offset_};
}

void TimeIndex::maybe_append(TimestampOffset entry) {
  if (entry.timestamp_ms <= last_.timestamp_ms) return;
  MOLDAU_ASSERT_MSG(entries() == 0 || entry.offset >= last_.offset, "offsets in a time index never fall");
  MOLDAU_ASSERT(entry.offset - base_offset_ >= 0 && entry.offset - base_offset_ <= INT32_MAX);
  std::array<std::byte, entry_size> bytes;
  store_be(bytes.data(), entry.timestamp_ms);
  store_be(bytes.data() + 8, static_cast<int32_t>(entry.offset - base_offset_));
  file_.append(bytes);
  last_ = entry;
}

task<io_result<TimestampOffset>> TimeIndex::lookup(std::string path, int64_t timestamp_ms) {
  MOLDAU_CO_TRY(const uint32_t before,
                co_await count_before<entry_size>(file_, path, [timestamp_ms](const std::byte* at) {
                  return load_be<int64_t>(at) > timestamp_ms;
                }));
  if (MOLDAU_MUTANT("time-index-off-by-one") && before < entries()) co_return co_await entry(std::move(path), before);
  if (before == 0) co_return TimestampOffset{-1, base_offset_};
  co_return co_await entry(std::move(path), before - 1);
}

task<io_result<>> TimeIndex::truncate_to(std::string path, Offset offset) {
  const int64_t relative = offset - base_offset_;
  MOLDAU_CO_TRY(const uint32_t kept, co_await count_before<entry_size>(file_, path, [relative](const std::byte* at) {
    return relative_offset(at) >= relative;
  }));
  MOLDAU_CO_CHECK(co_await file_.truncate(path, kept));
  last_ = {-1, base_offset_};
  if (kept > 0) {
    MOLDAU_CO_TRY(last_, co_await entry(std::move(path), kept - 1));
  }
  co_return io_result<>{};
}

}  // namespace moldau::storage
