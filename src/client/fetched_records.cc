// The part of Fetcher that reads bytes: batches to records, without those of aborted transactions.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "client/fetcher.h"
#include "protocol/legacy_batch.h"

namespace moldau::client {

namespace {

constexpr size_t decompressed_max_bytes = 1U << 30;
constexpr int16_t abort_marker = 0;

std::optional<Bytes> copy_of(const std::optional<ByteView>& view) {
  return view ? std::optional<Bytes>(to_bytes(*view)) : std::nullopt;
}

Error damage(const TopicPartition& partition, int64_t offset, const std::string& what) {
  return {
      .kind = Error::Kind::malformed,
      .code = protocol::ErrorCode::corrupt_message,
      .message = fmt::format("{}-{}: the batch at offset {} is damaged: {}", partition.topic,
                             partition.partition, offset, what),
      .advice =
          "Check the broker's files with: moldau log verify DIRECTORY; or read on behind it with --offset"};
}

// Which producers' transactional records are void, as one walks forward through the batches.
class AbortedProducers {
 public:
  explicit AbortedProducers(const protocol::FetchResponse::PartitionData& data) {
    if (!data.aborted_transactions) return;
    for (const auto& one : *data.aborted_transactions)
      starts_.emplace_back(one.first_offset, one.producer_id);
    std::ranges::sort(starts_, std::greater<>{});
  }
  void advance_to(int64_t last_offset) {
    while (!starts_.empty() && starts_.back().first <= last_offset) {
      aborted_.insert(starts_.back().second);
      starts_.pop_back();
    }
  }
  void end(int64_t producer_id) { aborted_.erase(producer_id); }
  [[nodiscard]] bool contains(int64_t producer_id) const { return aborted_.contains(producer_id); }

 private:
  std::vector<std::pair<int64_t, int64_t>> starts_;  // the earliest at the back
  std::set<int64_t> aborted_;
};

bool is_abort_marker(const protocol::Record& record) {
  return record.key && record.key->size() >= 4 && load_be<int16_t>(record.key->data() + 2) == abort_marker;
}

}  // namespace

FetchedPartition read_fetched(const protocol::FetchResponse::PartitionData& data, TopicPartition partition,
                              int64_t offset, Isolation isolation) {
  FetchedPartition fetched{.partition = std::move(partition),
                           .next_offset = offset,
                           .high_watermark = data.high_watermark,
                           .last_stable_offset = data.last_stable_offset,
                           .log_start_offset = data.log_start_offset};
  if (data.records.is_null) return fetched;
  const bool is_committed_only = isolation == Isolation::read_committed;
  AbortedProducers aborted(data);
  protocol::BatchCursor cursor(data.records.bytes);
  while (true) {
    const auto batch = cursor.next();
    if (!batch) {
      fetched.error = damage(fetched.partition, fetched.next_offset, batch.error().what);
      return fetched;
    }
    if (!*batch) return fetched;
    const ByteView bytes = (*batch)->bytes;
    if ((*batch)->magic < 2) {
      const auto legacy = protocol::read_legacy_batch(bytes, decompressed_max_bytes);
      if (!legacy || legacy->records_error || !legacy->is_crc_right) {
        fetched.error = damage(fetched.partition, fetched.next_offset,
                               !legacy                 ? legacy.error().what
                               : legacy->records_error ? legacy->records_error->what
                                                       : "wrong CRC");
        return fetched;
      }
      for (const auto& record : legacy->records) {
        if (record.offset.value() < fetched.next_offset) continue;
        fetched.records.push_back({.offset = record.offset.value(),
                                   .timestamp_ms = record.timestamp_ms,
                                   .timestamp_type = legacy->timestamp_type,
                                   .key = copy_of(record.key),
                                   .value = copy_of(record.value)});
        fetched.next_offset = record.offset.value() + 1;
      }
      continue;
    }
    const protocol::RecordBatchHeader header = protocol::read_batch_header(bytes);
    if (header.last_offset().value() < fetched.next_offset) continue;
    if (!protocol::is_batch_crc_right(bytes)) {
      fetched.error = damage(fetched.partition, header.base_offset.value(), "wrong CRC");
      return fetched;
    }
    aborted.advance_to(header.last_offset().value());
    const bool is_void =
        is_committed_only && header.is_transactional() && aborted.contains(header.producer_id.value());
    if (!is_void || header.is_control()) {
      protocol::RecordIterator records(bytes, decompressed_max_bytes);
      while (true) {
        const auto next = records.next();
        if (!next) {
          fetched.error = damage(fetched.partition, header.base_offset.value(), next.error().what);
          return fetched;
        }
        const protocol::Record* record = *next;
        if (record == nullptr) break;
        if (header.is_control()) {
          if (is_abort_marker(*record)) aborted.end(header.producer_id.value());
          continue;
        }
        if (record->offset.value() < fetched.next_offset) continue;
        FetchedRecord& copy =
            fetched.records.emplace_back(FetchedRecord{.offset = record->offset.value(),
                                                       .timestamp_ms = record->timestamp_ms,
                                                       .timestamp_type = header.timestamp_type(),
                                                       .key = copy_of(record->key),
                                                       .value = copy_of(record->value)});
        for (const auto& one : record->headers.decode())
          copy.headers.emplace_back(std::string(one.key), copy_of(one.value));
      }
    }
    fetched.next_offset = header.next_offset().value();
  }
}

}  // namespace moldau::client
