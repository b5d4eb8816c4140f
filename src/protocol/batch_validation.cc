#include "protocol/batch_validation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "protocol/batch_builder.h"
#include "protocol/decompressed_bytes.h"
#include "protocol/skimmed_record.h"

namespace moldau::protocol {

namespace {

// More are counted and not listed: the answer to a hostile batch stays small.
constexpr size_t record_errors_max = 1000;

BatchRejection rejection(ErrorCode code, std::string message) { return {code, std::move(message), {}}; }

BatchRejection rejection(const BatchError& error) {
  switch (error.reason) {
    case BatchError::Reason::too_short:
    case BatchError::Reason::unknown_magic:
    case BatchError::Reason::wrong_crc:
      return rejection(ErrorCode::corrupt_message, error.what);
    case BatchError::Reason::too_large:
      return rejection(ErrorCode::message_too_large, error.what);
    default:
      return rejection(ErrorCode::invalid_record, error.what);
  }
}

// What the checks of single records find.
struct RecordFindings {
  int64_t max_timestamp_ms = no_timestamp_ms;
  bool has_offsets_in_order = true;  // deltas 0, 1, 2, ...
  bool has_timestamp_error = false;
  size_t error_count = 0;
  std::vector<RecordError> errors;

  void add(int32_t index, std::string message) {
    ++error_count;
    if (errors.size() < record_errors_max) errors.push_back({index, std::move(message)});
  }
};

void check_record(const RecordBatchHeader& header, const ValidationSettings& settings, int64_t clock_ms,
                  int32_t index, int64_t timestamp_ms, const SkimmedRecord& record,
                  RecordFindings& findings) {
  findings.max_timestamp_ms = std::max(findings.max_timestamp_ms, timestamp_ms);
  findings.has_offsets_in_order &= record.offset_delta == index;
  if (settings.is_compacted && !record.has_key)
    return findings.add(index, "a record without a key: the topic is compacted (cleanup.policy)");
  if (settings.timestamp_type == TimestampType::create_time && timestamp_ms != no_timestamp_ms) {
    const int64_t age_ms = wrapping_sum(clock_ms, wrapping_sum(~timestamp_ms, 1));
    const int64_t lead_ms = wrapping_sum(~age_ms, 1);
    if (age_ms <= settings.timestamp_before_max_ms && lead_ms <= settings.timestamp_after_max_ms) return;
    findings.has_timestamp_error = true;
    return findings.add(
        index,
        fmt::format("timestamp {} of the record at offset {} lies outside [{}, {}], which "
                    "message.timestamp.before.max.ms = {} and message.timestamp.after.max.ms = {} allow now",
                    timestamp_ms, wrapping_sum(header.base_offset.value(), record.offset_delta),
                    wrapping_sum(clock_ms, wrapping_sum(~settings.timestamp_before_max_ms, 1)),
                    wrapping_sum(clock_ms, settings.timestamp_after_max_ms), settings.timestamp_before_max_ms,
                    settings.timestamp_after_max_ms));
  }
  if (header.timestamp_type() == TimestampType::log_append_time) {
    findings.has_timestamp_error = true;
    findings.add(index, "a producer may not set the timestamp type to LogAppendTime");
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

// Skips keys, values and headers, so that a record is never held whole.
result<RecordFindings, BatchError> check_compressed(const RecordBatchHeader& header, Codec codec,
                                                    ByteView payload, const ValidationSettings& settings,
                                                    int64_t clock_ms) {
  RecordFindings findings;
  DecompressedBytes bytes(codec, payload, decompressed_max_bytes);
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

result<void, BatchRejection> check_what_a_client_states(const RecordBatchHeader& header) {
  const auto invalid = [](std::string message) {
    return fail(rejection(ErrorCode::invalid_record, std::move(message)));
  };
  const int64_t count_by_offsets = int64_t{header.last_offset_delta} + 1;
  if (count_by_offsets <= 0)
    return invalid(fmt::format("the batch has a last offset delta of {}", header.last_offset_delta));
  if (header.count <= 0) return invalid(fmt::format("the batch counts {} records", header.count));
  if (count_by_offsets != header.count)
    return invalid(
        fmt::format("the batch spans {} offsets and counts {} records", count_by_offsets, header.count));
  if (header.is_control()) return invalid("a client may not write control records");
  if (header.has_producer_id() && header.base_sequence < 0)
    return invalid(fmt::format("the batch has producer id {} and the sequence {}", header.producer_id,
                               header.base_sequence));
  return {};
}

result<void, BatchRejection> check_size(size_t size, const ValidationSettings& settings) {
  if (size <= static_cast<size_t>(std::max(settings.max_message_bytes, 0))) return {};
  return fail(rejection(ErrorCode::message_too_large,
                        fmt::format("the batch has {} bytes, more than max.message.bytes = {} allows", size,
                                    settings.max_message_bytes)));
}

// The records once more, in the topic's codec.
result<Bytes, BatchError> rewrite(ByteView batch, Codec codec, const ValidationSettings& settings,
                                  Offset first_offset, LeaderEpoch epoch, int64_t clock_ms) {
  RecordIterator records(batch);
  const RecordBatchHeader& header = records.header();
  BatchBuilder builder({.codec = codec,
                        .level = settings.codec_level,
                        .base_offset = first_offset,
                        .leader_epoch = epoch,
                        .timestamp_type = settings.timestamp_type,
                        .log_append_time_ms = clock_ms,
                        .producer_id = header.producer_id,
                        .producer_epoch = header.producer_epoch,
                        .base_sequence = header.base_sequence,
                        .is_transactional = header.is_transactional(),
                        .is_control = header.is_control()});
  while (true) {
    MOLDAU_TRY(const Record* record, records.next());
    if (record == nullptr) return builder.finish();
    const std::vector<RecordHeader> headers = record->headers.decode();
    builder.append(record->timestamp_ms, record->key, record->value, headers);
  }
}

BatchRejection records_rejected(RecordFindings findings) {
  BatchRejection rejected;
  rejected.code = findings.has_timestamp_error ? ErrorCode::invalid_timestamp : ErrorCode::invalid_record;
  rejected.message = findings.has_timestamp_error
                         ? std::string("One or more records have been rejected due to invalid timestamp")
                         : fmt::format("{} records were refused, the first one because of {}",
                                       findings.error_count, findings.errors.front().message);
  rejected.record_errors = std::move(findings.errors);
  return rejected;
}

}  // namespace

result<ByteView, BatchRejection> single_produced_batch(ByteView records, int16_t produce_version) {
  constexpr int16_t first_version_with_zstd = 7;
  const auto invalid = [](std::string_view message) {
    return fail(rejection(ErrorCode::invalid_record, std::string(message)));
  };
  BatchCursor cursor(records);
  const auto first = cursor.next();
  if (!first) return fail(rejection(first.error()));
  if (!*first) return invalid("a partition's records in a Produce request are no whole batch");
  if ((*first)->magic != 2)
    return invalid(fmt::format("a Produce request takes batches of magic 2, not {}", (*first)->magic));
  const ByteView batch = (*first)->bytes;
  if (produce_version < first_version_with_zstd && read_batch_header(batch).codec() == Codec::zstd)
    return fail(rejection(ErrorCode::unsupported_compression_type,
                          fmt::format("Produce version {} does not allow zstd", produce_version)));
  const auto second = cursor.next();
  if (!second) return fail(rejection(second.error()));
  if (*second) return invalid("a partition's records in a Produce request are more than one batch");
  return batch;
}

result<ValidatedBatch, BatchRejection> validate_batch(MutableByteView batch, AppendOrigin origin,
                                                      const ValidationSettings& settings, Offset first_offset,
                                                      LeaderEpoch epoch, int64_t clock_ms) {
  const RecordBatchHeader header = read_batch_header(batch);
  MOLDAU_ASSERT(header.magic == 2 && header.size_bytes() == batch.size());
  const auto invalid = [](std::string message) {
    return fail(rejection(ErrorCode::invalid_record, std::move(message)));
  };

  if (origin == AppendOrigin::raft_leader && header.leader_epoch != epoch)
    return invalid(fmt::format("the batch has epoch {} where the leader has {}", header.leader_epoch, epoch));
  if (origin == AppendOrigin::client && header.base_offset != Offset(0))
    return invalid(fmt::format("the batch has base offset {}, a producer's has 0", header.base_offset));
  MOLDAU_CHECK(check_size(batch.size(), settings));
  if (!is_batch_crc_right(batch))
    return fail(rejection(
        ErrorCode::corrupt_message,
        fmt::format("the batch has CRC {:#x}, its bytes have {:#x}", header.crc, batch_crc(batch))));
  const auto codec = header.codec();
  if (!codec)
    return invalid(fmt::format("the batch has the unknown codec {}", header.attributes & codec_mask));
  if (origin == AppendOrigin::client) MOLDAU_CHECK(check_what_a_client_states(header));

  auto findings =
      *codec == Codec::none
          ? check_uncompressed(batch, settings, clock_ms)
          : check_compressed(header, *codec, batch.subspan(record_batch_header_bytes), settings, clock_ms);
  if (!findings) return fail(rejection(findings.error()));
  if (findings->error_count > 0) return fail(records_rejected(std::move(*findings)));

  ValidatedBatch validated;
  const Codec wanted = settings.codec.value_or(*codec);
  const bool stays_as_it_is = wanted == *codec || (*codec == Codec::none && header.is_control());
  if (stays_as_it_is && *codec != Codec::none && !findings->has_offsets_in_order)
    return invalid("the offsets in the compressed batch do not count from 0 in steps of one");
  if (!stays_as_it_is) {
    auto rewritten = rewrite(batch, wanted, settings, first_offset, epoch, clock_ms);
    if (!rewritten) return fail(rejection(rewritten.error()));
    MOLDAU_CHECK(check_size(rewritten->size(), settings));
    validated.header = read_batch_header(*rewritten);
    validated.rewritten = std::move(*rewritten);
    return validated;
  }
  patch_base_offset(batch, first_offset);
  patch_leader_epoch(batch, epoch);
  if (settings.timestamp_type == TimestampType::log_append_time) {
    patch_timestamp(batch, TimestampType::log_append_time, clock_ms);
  } else {
    patch_timestamp(batch, TimestampType::create_time, findings->max_timestamp_ms);
  }
  validated.header = read_batch_header(batch);
  return validated;
}

}  // namespace moldau::protocol
