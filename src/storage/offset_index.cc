#include "storage/offset_index.h"

#include "base/assert.h"
#include "base/mutant.h"
#include "storage/index_search.h"

namespace moldau::storage {

using runtime::io_result;
using runtime::task;

namespace {
int64_t relative_offset(const std::byte* entry) { return load_be<int32_t>(entry); }
}  // namespace

OffsetPosition OffsetIndex::parse(const std::byte* at) const {
  return {base_offset_ + relative_offset(at), load_be<uint32_t>(at + 4)};
}

task<io_result<OffsetPosition>> OffsetIndex::entry(std::string path, uint32_t n) {
  std::array<std::byte, entry_size> bytes;
  MOLDAU_CO_CHECK(co_await file_.read(std::move(path), n, 1, bytes));
  co_return parse(bytes.data());
}

task<io_result<bool>> OffsetIndex::load(std::string path) {
  MOLDAU_CO_TRY(const bool is_first, co_await file_.load(path));
  if (!is_first) co_return true;
  const uint32_t count = entries();
  OffsetPosition last{base_offset_, 0};
  if (count > 0) {
    MOLDAU_CO_TRY(last, co_await entry(std::move(path), count - 1));
  }
  if (file_.is_loaded()) co_return true;
  last_offset_ = last.offset;
  file_.note_loaded();
  co_return !file_.is_ragged() && last.offset > base_offset_ - 1 && (count <= 1 || last.offset > base_offset_);
}

// No entry has position 0: the first one stands behind index.interval.bytes.
task<io_result<>> OffsetIndex::load_after_kill(std::string path) {
  MOLDAU_CO_CHECK(co_await file_.load(path));
  MOLDAU_CO_TRY(const uint32_t kept, co_await count_written<entry_size>(file_, path, [](const std::byte* at) {
    return load_be<uint32_t>(at + 4) == 0;
  }));
  file_.keep_written(kept);
  MOLDAU_CO_TRY(const OffsetPosition last, co_await last_entry(std::move(path)));
  last_offset_ = last.offset;
  file_.note_loaded();
  co_return io_result<>{};
}

task<io_result<OffsetPosition>> OffsetIndex::last_entry(std::string path) {
  if (entries() == 0) return runtime::ready(io_result<OffsetPosition>(OffsetPosition{base_offset_, 0}));
  return entry(std::move(path), entries() - 1);
}

void OffsetIndex::start_empty() {
  file_.start_empty();
  last_offset_ = base_offset_;
}

void OffsetIndex::append(Offset offset, uint32_t position) {
  MOLDAU_ASSERT_MSG(entries() == 0 || offset > last_offset_, "offsets in an index rise");
  MOLDAU_ASSERT(offset - base_offset_ >= 0 && offset - base_offset_ <= INT32_MAX);
  std::array<std::byte, entry_size> bytes;
  store_be(bytes.data(), static_cast<int32_t>(offset - base_offset_));
  store_be(bytes.data() + 4, position);
  file_.append(bytes);
  last_offset_ = offset;
}

task<io_result<OffsetPosition>> OffsetIndex::lookup(std::string path, Offset target) {
  const int64_t relative = target - base_offset_;
  MOLDAU_CO_TRY(const uint32_t before, co_await count_before<entry_size>(file_, path, [relative](const std::byte* at) {
    return relative_offset(at) > relative;
  }));
  if (MOLDAU_MUTANT("offset-index-off-by-one") && before < entries()) co_return co_await entry(std::move(path), before);
  if (before == 0) co_return OffsetPosition{base_offset_, 0};
  co_return co_await entry(std::move(path), before - 1);
}

task<io_result<std::optional<OffsetPosition>>> OffsetIndex::first_at_or_after(std::string path, uint64_t position) {
  MOLDAU_CO_TRY(const uint32_t before, co_await count_before<entry_size>(file_, path, [position](const std::byte* at) {
    return load_be<uint32_t>(at + 4) >= position;
  }));
  if (before == entries()) co_return std::optional<OffsetPosition>{};
  MOLDAU_CO_TRY(const OffsetPosition found, co_await entry(std::move(path), before));
  co_return std::optional<OffsetPosition>(found);
}

task<io_result<>> OffsetIndex::truncate_to(std::string path, Offset offset) {
  const int64_t relative = offset - base_offset_;
  MOLDAU_CO_TRY(const uint32_t kept, co_await count_before<entry_size>(file_, path, [relative](const std::byte* at) {
    return relative_offset(at) >= relative;
  }));
  MOLDAU_CO_CHECK(co_await file_.truncate(path, kept));
  last_offset_ = base_offset_;
  if (kept > 0) {
    MOLDAU_CO_TRY(const OffsetPosition last, co_await entry(std::move(path), kept - 1));
    last_offset_ = last.offset;
  }
  co_return io_result<>{};
}

}  // namespace moldau::storage
