#include "protocol/record_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/decompressed_bytes.h"
#include "protocol/skimmed_record.h"

namespace moldau::protocol {

namespace {

constexpr size_t record_errors_max = 1000;

void add_error(RecordFindings& findings, int32_t index, std::string message) {
  ++findings.error_count;
  if (findings.errors.size() < record_errors_max) findings.errors.push_back({index, std::move(message)});
}

void check_record(const RecordBatchHeader& header, const ValidationSettings& settings, int64_t clock_ms, int32_t index,
                  int64_t timestamp_ms, const SkimmedRecord& record, RecordFindings& findings) {
  findings.max_timestamp_ms = std::max(findings.max_timestamp_ms, timestamp_ms);
  findings.has_offsets_in_order &= record.offset_delta == index;
  if (settings.is_compacted && !record.has_key)
    return add_error(findings, index, "a record without a key: the topic is compacted (cleanup.policy)");
  if (settings.timestamp_type == TimestampType::create_time && timestamp_ms != no_timestamp_ms) {
    const int64_t age_ms = wrapping_sum(clock_ms, wrapping_sum(~timestamp_ms, 1));
    const int64_t lead_ms = wrapping_sum(~age_ms, 1);
    if (age_ms <= settings.timestamp_before_max_ms && lead_ms <= settings.timestamp_after_max_ms) return;
    findings.has_timestamp_error = true;
    return add_error(findings, index,
                     fmt::format("timestamp {} of the record at offset {} lies outside [{}, {}], which "
                                 "message.timestamp.before.max.ms = {} and message.timestamp.after.max.ms = {} allow now",
                                 timestamp_ms, wrapping_sum(header.base_offset.value(), record.offset_delta),
                                 wrapping_sum(clock_ms, wrapping_sum(~settings.timestamp_before_max_ms, 1)),
                                 wrapping_sum(clock_ms, settings.timestamp_after_max_ms),
                                 settings.timestamp_before_max_ms, settings.timestamp_after_max_ms));
  }
  if (header.timestamp_type() == TimestampType::log_append_time) {
    findings.has_timestamp_error = true;
    add_error(findings, index, "a producer may not set the timestamp type to LogAppendTime");
  }
}

int64_t timestamp_of(const RecordBatchHeader& header, const SkimmedRecord& record) {
  return header.timestamp_type() == TimestampType::log_append_time
             ? header.max_timestamp_ms
             : wrapping_sum(header.base_timestamp_ms, record.timestamp_delta);
}

// What is wrong with a batch whose records could not be skimmed.
BatchError find_fault(ByteView batch) {
  RecordIterator records(batch);
  while (true) {
    auto record = records.next();
    if (!record) return std::move(record.error());
    if (*record == nullptr) return {BatchError::Reason::malformed, "the batch's records are not well formed"};
  }
}

result<RecordFindings, BatchError> check_uncompressed(ByteView batch, const ValidationSettings& settings,
                                                      int64_t clock_ms) {
  RecordFindings findings;
  const RecordBatchHeader header = read_batch_header(batch);
  if (header.count < 0) return fail(find_fault(batch));
  ByteView rest = batch.subspan(record_batch_header_bytes);
  for (int32_t index = 0; index < header.count; ++index) {
    const auto record = skim_record(rest);
    if (!record) return fail(find_fault(batch));
    check_record(header, settings, clock_ms, index, timestamp_of(header, *record), *record, findings);
  }
  if (!rest.empty()) return fail(find_fault(batch));
  return findings;
}

}  // namespace

// Of a compressed batch keys, values and headers are skipped in the stream, so that a record is never held whole.
result<RecordFindings, BatchError> check_records(ByteView batch, Codec codec, const ValidationSettings& settings,
                                                 int64_t clock_ms, size_t decompressed_bound_bytes) {
  if (codec == Codec::none) return check_uncompressed(batch, settings, clock_ms);
  RecordFindings findings;
  const RecordBatchHeader header = read_batch_header(batch);
  DecompressedBytes bytes(codec, batch.subspan(record_batch_header_bytes), decompressed_bound_bytes);
  for (int32_t index = 0; index < header.count; ++index) {
    MOLDAU_TRY(const SkimmedRecord record, skim_record(bytes));
    check_record(header, settings, clock_ms, index, timestamp_of(header, record), record, findings);
  }
  MOLDAU_TRY(const bool ends_here, bytes.ends_here());
  if (!ends_here)
    return fail(
        BatchError{BatchError::Reason::malformed, "bytes follow the last record that the batch counts"});
  return findings;
}

result<RecordFindings, BatchError> check_and_copy_records(ByteView batch, const ValidationSettings& settings,
                                                          int64_t clock_ms, size_t decompressed_bound_bytes,
                                                          size_t copied_max_bytes, BatchBuilder& into) {
  RecordFindings findings;
  RecordIterator records(batch, decompressed_bound_bytes);
  const RecordBatchHeader& header = records.header();
  for (int32_t index = 0;; ++index) {
    MOLDAU_TRY(const Record* record, records.next());
    if (record == nullptr) return findings;
    const SkimmedRecord seen{record->timestamp_delta, record->offset_delta, record->key.has_value()};
    check_record(header, settings, clock_ms, index, record->timestamp_ms, seen, findings);
    if (findings.error_count > 0 || into.uncompressed_size_bytes() > copied_max_bytes) continue;
    const std::vector<RecordHeader> headers = record->headers.decode();
    into.append(record->timestamp_ms, record->key, record->value, headers);
  }
}

}  // namespace moldau::protocol
