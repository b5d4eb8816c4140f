#include "storage/future_log.h"

#include <algorithm>

#include "base/mutant.h"
#include "storage/partition_directory.h"

namespace moldau::storage {

using protocol::ErrorCode;
using runtime::task;

namespace {

constexpr uint32_t copy_bytes = 1 << 20;
constexpr uint64_t last_copy_max_bytes = 4 << 20;  // while appends wait

// Where a copy of the whole log begins: at its first batch, which may begin before the log start.
task<log_result<Offset>> first_offset_of(Log& current) {
  const Offset start = current.log_start_offset();
  MOLDAU_CO_TRY(const ReadInfo read, co_await current.read(start, 1, true, ReadIsolation::log_end));
  co_return read.file ? std::min(read.first_batch_offset, start) : start;
}

task<log_result<>> begin_anew(Log& current, Log& future) {
  MOLDAU_CO_TRY(const Offset first, co_await first_offset_of(current));
  if (future.log_start_offset() == first && future.log_end_offset() == first) co_return log_result<>{};
  co_return co_await future.truncate_fully_and_start_at(first);
}

// The log start follows the current one's as far as records were copied; what lies below it goes.
task<log_result<>> follow_offsets(Log& current, Log& future) {
  future.update_high_watermark(current.high_watermark());
  const Offset start = std::min(current.log_start_offset(), future.high_watermark());
  if (start <= future.log_start_offset()) co_return log_result<>{};
  MOLDAU_CO_CHECK(co_await future.delete_records_before(start));
  MOLDAU_CO_CHECK(co_await future.delete_old_segments());
  co_return log_result<>{};
}

}  // namespace

LogConfig future_log_config(LogConfig config) {
  config.is_deleted = false;  // beside what lies below the log start
  config.flush_messages = INT64_MAX;
  config.flush_ms = INT64_MAX;
  return config;
}

bool holds_all_of(const Log& log, const Log& other) {
  if (log.log_end_offset() < other.log_end_offset()) return false;
  const auto epoch = other.latest_epoch();
  if (!epoch) return true;
  const auto end = log.end_offset_for_epoch(*epoch);
  return end && end->epoch == *epoch && end->end_offset >= other.log_end_offset();
}

ChoiceOfTwo choose_of_two(const Log& one, const Log& other, bool prefers_other) {
  const bool one_holds_all = holds_all_of(one, other);
  const bool other_holds_all = holds_all_of(other, one);
  const bool is_decided = one_holds_all || other_holds_all;
  ChoiceOfTwo choice;
  choice.takes_other = is_decided ? other_holds_all && (!one_holds_all || prefers_other) : other.latest_epoch() > one.latest_epoch();
  // All may have been deleted before the move; where a kill took that back, the old log has its records again and the copy has none.
  const Log& left = choice.takes_other ? one : other;
  choice.loses_records = !is_decided && left.log_start_offset() < left.log_end_offset();
  return choice;
}

task<log_result<>> align_future(Log& current, Log& future) {
  while (!holds_all_of(current, future)) {
    const auto epoch = future.latest_epoch();
    const auto common = epoch ? current.end_offset_for_epoch(*epoch) : std::nullopt;
    if (!common || common->end_offset <= future.log_start_offset()) co_return co_await begin_anew(current, future);
    const auto own = future.end_offset_for_epoch(common->epoch);
    const Offset to = own ? std::min(own->end_offset, common->end_offset) : common->end_offset;
    MOLDAU_CO_TRY(const bool is_cut, co_await future.truncate_to(to));
    if (!is_cut) co_return co_await begin_anew(current, future);
  }
  // Nothing was copied yet, or all that was has left the current log.
  if (future.log_start_offset() == future.log_end_offset() || future.log_end_offset() < current.log_start_offset())
    co_return co_await begin_anew(current, future);
  co_return log_result<>{};
}

task<log_result<uint64_t>> copy_to_future(Log& current, Log& future, uint32_t max_bytes, Bytes& buffer) {
  if (future.log_end_offset() < current.log_start_offset()) MOLDAU_CO_CHECK(co_await begin_anew(current, future));
  // The copy may begin before the log start, with the batch that holds it.
  const Offset from = std::max(future.log_end_offset(), current.log_start_offset());
  const uint32_t limit = std::min(max_bytes, future.config().segment_bytes);
  MOLDAU_CO_TRY(const ReadInfo read, co_await current.read(from, limit, true, ReadIsolation::log_end));
  if (!read.file || read.size_bytes == 0) {
    MOLDAU_CO_CHECK(co_await follow_offsets(current, future));
    co_return uint64_t{0};
  }
  buffer.resize(read.size_bytes);
  const auto got = co_await read.file->read_at(read.position, buffer);
  if (!got) {
    current.health()->note(Error(got.error()));
    co_return fail(Error(got.error()));
  }
  buffer.resize(*got);
  // What is kept for the node is no more for a copy than for clients.
  if (!future.health()->take_room(static_cast<int64_t>(buffer.size()))) co_return fail(future.health()->full_error());
  if (buffer.size() > future.config().segment_bytes) {  // written when segment.bytes was larger
    LogConfig config = future.config();
    config.segment_bytes = static_cast<uint32_t>(buffer.size());
    future.update_config(config);
  }
  MOLDAU_CO_TRY(const AppendInfo info, co_await future.append_as_follower(buffer, LeaderEpoch(INT32_MAX)));
  if (future.log_end_offset() <= from || future.log_end_offset() != info.last_offset + 1)
    co_return fail(Error(ErrorCode::corrupt_message, fmt::format("{} holds no whole batch from offset {} on", current.directory(), from)));
  MOLDAU_CO_CHECK(co_await follow_offsets(current, future));
  co_return uint64_t{info.size_bytes};
}

task<log_result<bool>> promote_future(Log& current, Log& future, const std::function<void()>& swap) {
  // Most of it is on stable storage before anybody has to wait.
  MOLDAU_CO_CHECK(co_await future.flush());
  const auto held = co_await current.hold_changes();
  if (current.is_closed()) co_return false;
  Bytes buffer;
  uint64_t copied_bytes = 0;
  while (future.log_end_offset() < current.log_end_offset() && !MOLDAU_MUTANT("future-replica-promoted-early")) {
    if (copied_bytes > last_copy_max_bytes) co_return false;
    MOLDAU_CO_TRY(const uint64_t bytes, co_await copy_to_future(current, future, copy_bytes, buffer));
    copied_bytes += bytes;
    // No record reaches to the end: it was truncated into a batch.
    if (bytes == 0) MOLDAU_CO_CHECK(co_await future.end_at(current.log_end_offset()));
  }
  MOLDAU_CO_CHECK(co_await follow_offsets(current, future));
  if (!MOLDAU_MUTANT("future-replica-without-producers")) MOLDAU_CO_CHECK(co_await future.take_producers_of(current));
  if (!MOLDAU_MUTANT("future-replica-unflushed")) MOLDAU_CO_CHECK(co_await future.flush());
  MOLDAU_CO_CHECK(co_await future.rename_directory(partition_directory_name(current.topic(), current.partition())));
  if (!MOLDAU_MUTANT("future-replica-name-unsynced")) MOLDAU_CO_CHECK(co_await future.sync_name());
  future.update_config(current.config());
  current.close_to_changes();
  swap();
  co_return true;
}

// --- what Log gives to this ---

// The producers of the current log are all that it knows, also those whose records have gone.
task<log_result<>> Log::take_producers_of(const Log& current) {
  const auto held = co_await mutex_.lock();
  producers_ = current.producers_;
  producers_.set_end_offset(end_.offset);
  update_first_unstable();
  if (end_.offset.value() == 0) co_return log_result<>{};
  last_snapshot_ = no_offset;
  if (auto written = co_await write_snapshot(true); !written) co_return fail(noted(std::move(written.error())));
  if (auto synced = co_await files().sync_directory(directory()); !synced) co_return fail(noted(Error(synced.error())));
  co_return log_result<>{};
}

task<log_result<>> Log::end_at(Offset offset) {
  const auto held = co_await mutex_.lock();
  if (offset <= end_.offset) co_return log_result<>{};
  if (auto rolled = co_await roll_locked(offset); !rolled) co_return fail(noted(std::move(rolled.error())));
  set_end(offset);
  co_return log_result<>{};
}

task<log_result<>> Log::sync_name() {
  auto synced = co_await files().sync_directory(options_.directory.substr(0, options_.directory.rfind('/')));
  if (!synced) co_return fail(noted(Error(synced.error())));
  co_return log_result<>{};
}

}  // namespace moldau::storage
