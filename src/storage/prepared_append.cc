#include "storage/prepared_append.h"

#include <algorithm>

namespace moldau::storage {
namespace {
constexpr int16_t abort_type = 0;
constexpr int16_t commit_type = 1;
}  // namespace

std::optional<EndTransactionMarker> read_marker(ByteView batch, int64_t* timestamp_ms) {
  protocol::RecordIterator records(batch);
  const auto record = records.next();
  if (!record || *record == nullptr) return std::nullopt;
  const auto& [key, value] = std::pair((*record)->key, (*record)->value);
  if (!key || key->size() < 4 || !value || value->size() < 6) return std::nullopt;
  const auto type = load_be<int16_t>(key->data() + 2);
  if (type != abort_type && type != commit_type) return std::nullopt;
  *timestamp_ms = (*record)->timestamp_ms;
  return EndTransactionMarker{type == commit_type, load_be<int32_t>(value->data() + 2)};
}

log_result<std::optional<CompletedTransaction>> feed_producer(ProducerAppend& producer,
                                                              const protocol::RecordBatchHeader& batch, ByteView bytes,
                                                              int transaction_version) {
  if (!batch.is_control()) {
    MOLDAU_CHECK(producer.append_data(batch.producer_epoch, batch.base_sequence, batch.last_sequence(),
                                      batch.max_timestamp_ms, batch.base_offset, batch.last_offset(),
                                      batch.is_transactional()));
    return std::nullopt;
  }
  int64_t timestamp_ms = -1;
  const auto marker = read_marker(bytes, &timestamp_ms);
  if (!marker) {
    // Compaction emptied it, and left it for the epoch that it tells. (Apache Kafka remembers a producer without an epoch then.)
    if (producer.origin == AppendOrigin::replication) {
      if (batch.producer_epoch > producer.updated.epoch) producer.updated.set_epoch(batch.producer_epoch);
      producer.updated.last_timestamp_ms = std::max(producer.updated.last_timestamp_ms, batch.max_timestamp_ms);
      return std::nullopt;
    }
    return fail(Error(protocol::ErrorCode::invalid_record,
                      fmt::format("the control batch at offset {} ends no transaction", batch.base_offset)));
  }
  return producer.append_marker(*marker, batch.producer_epoch, batch.base_offset, timestamp_ms, transaction_version);
}

}  // namespace moldau::storage
