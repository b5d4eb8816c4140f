#include "broker/coordinator_records.h"

#include "broker/log_bytes.h"
#include "protocol/batch_builder.h"
#include "protocol/record_batch.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;

static constexpr uint32_t replay_read_bytes = 1 << 20;
static constexpr int16_t commit_marker_type = 1;

task<ErrorCode> append_coordinator_records(Partition& partition, const std::vector<groups::CoordinatorRecord>& records,
                                           int64_t now_ms) {
  protocol::BatchBuilder builder(protocol::BatchOptions{});
  for (const groups::CoordinatorRecord& record : records)
    builder.append(now_ms, ByteView(record.key), record.value ? std::optional<ByteView>(*record.value) : std::nullopt);
  Bytes batch = builder.finish();
  co_return co_await partition.append_own(batch);
}

// A transaction marker's key is its version and type; type 1 commits, 0 aborts.
static void replay_marker(const protocol::RecordBatchHeader& header, const protocol::Record& record,
                          groups::CoordinatorShard& coordinator) {
  if (!record.key || record.key->size() < 4) return;
  const auto type = load_be<int16_t>(record.key->data() + 2);
  if (type == 0 || type == commit_marker_type)
    coordinator.replay_transaction_marker(header.producer_id.value(), type == commit_marker_type);
}

static uint64_t replay_batch(ByteView batch, groups::CoordinatorShard& coordinator) {
  uint64_t count = 0;
  protocol::RecordIterator records(batch);
  const protocol::RecordBatchHeader& header = records.header();
  const int64_t producer_id = header.is_transactional() ? header.producer_id.value() : -1;
  while (true) {
    const auto record = records.next();
    if (!record || *record == nullptr) break;
    ++count;
    if (header.is_control())
      replay_marker(header, **record, coordinator);
    else if ((*record)->key)
      coordinator.replay(*(*record)->key, (*record)->value, producer_id);
  }
  return count;
}

task<storage::log_result<uint64_t>> replay_coordinator_records(Partition& partition, groups::CoordinatorShard& coordinator) {
  uint64_t count = 0;
  Bytes buffer;
  const std::shared_ptr<storage::Log> log = partition.shared_log();
  Offset next = log->log_start_offset();
  const Offset end = log->log_end_offset();
  while (next < end) {
    MOLDAU_CO_CHECK(co_await read_log_bytes(*log, next, replay_read_bytes, buffer));
    protocol::BatchCursor cursor(buffer);
    const Offset before = next;
    while (true) {
      const auto batch = cursor.next();
      if (!batch) co_return fail(storage::Error(ErrorCode::corrupt_message, fmt::format("a damaged batch at offset {}", next)));
      if (!*batch) break;
      if ((*batch)->magic < 2) continue;  // offsets were never written in an older form by a supported release
      const protocol::RecordBatchHeader header = protocol::read_batch_header((*batch)->bytes);
      next = header.next_offset();
      count += replay_batch((*batch)->bytes, coordinator);
    }
    if (next == before) break;
    co_await runtime::yield();
  }
  co_return count;
}

}  // namespace moldau::broker
