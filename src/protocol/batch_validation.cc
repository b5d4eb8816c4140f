#include "protocol/batch_validation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/mutant.h"
#include "protocol/batch_builder.h"
#include "protocol/record_checks.h"

namespace moldau::protocol {

namespace {

// What validate_small_batch takes on, from src/protocol/batch_validation_bench.cc: 2 ms at the worst, and mostly 0.3.
constexpr size_t small_plain_bytes = 1024 * 1024;
constexpr size_t small_compressed_bytes = 64 * 1024;
constexpr size_t small_decompressed_bytes = 256 * 1024;
constexpr size_t small_rewritten_bytes = 16 * 1024;

// What is compressed again lies in memory whole before, and a small batch may hold very much.
constexpr size_t recompressed_least_limit_bytes = 64 * 1024 * 1024;
constexpr size_t recompressed_limit_in_max_messages = 4;

size_t recompressed_limit_bytes(const ValidationSettings& settings) {
  return std::max(recompressed_least_limit_bytes,
                  recompressed_limit_in_max_messages * static_cast<size_t>(std::max(settings.max_message_bytes, 0)));
}

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

struct Append {
  AppendOrigin origin;
  Offset first_offset;
  LeaderEpoch epoch;
  int64_t clock_ms;
};

// What the header says is to be done with the records.
struct Plan {
  Codec codec = Codec::none;
  Codec wanted = Codec::none;
  bool is_rewritten = false;
};

result<Plan, BatchRejection> check_header(ByteView batch, const Append& append, const ValidationSettings& settings) {
  const RecordBatchHeader header = read_batch_header(batch);
  MOLDAU_ASSERT(header.magic == 2 && header.size_bytes() == batch.size());
  const auto invalid = [](std::string message) {
    return fail(rejection(ErrorCode::invalid_record, std::move(message)));
  };
  if (append.origin == AppendOrigin::raft_leader && header.leader_epoch != append.epoch)
    return invalid(
        fmt::format("the batch has epoch {} where the leader has {}", header.leader_epoch, append.epoch));
  if (append.origin == AppendOrigin::client && header.base_offset != Offset(0))
    return invalid(fmt::format("the batch has base offset {}, a producer's has 0", header.base_offset));
  MOLDAU_CHECK(check_size(batch.size(), settings));
  if (!is_batch_crc_right(batch) && !MOLDAU_MUTANT("crc-unchecked"))
    return fail(rejection(
        ErrorCode::corrupt_message,
        fmt::format("the batch has CRC {:#x}, its bytes have {:#x}", header.crc, batch_crc(batch))));
  const auto codec = header.codec();
  if (!codec)
    return invalid(fmt::format("the batch has the unknown codec {}", header.attributes & codec_mask));
  if (append.origin == AppendOrigin::client) MOLDAU_CHECK(check_what_a_client_states(header));

  Plan plan{.codec = *codec, .wanted = settings.codec.value_or(*codec)};
  plan.is_rewritten = plan.wanted != *codec && !(*codec == Codec::none && header.is_control());
  return plan;
}

// Gives the batch its place where it lies.
ValidatedBatch patched(MutableByteView batch, const Append& append, const ValidationSettings& settings,
                       int64_t max_timestamp_ms) {
  patch_base_offset(batch, append.first_offset);
  patch_leader_epoch(batch, append.epoch);
  if (settings.timestamp_type == TimestampType::log_append_time)
    patch_timestamp(batch, TimestampType::log_append_time, append.clock_ms);
  else
    patch_timestamp(batch, TimestampType::create_time, max_timestamp_ms);
  return {.header = read_batch_header(batch), .rewritten = std::nullopt};
}

BatchBuilder builder_for(ByteView batch, const Plan& plan, const Append& append, const ValidationSettings& settings) {
  const RecordBatchHeader header = read_batch_header(batch);
  return BatchBuilder({.codec = plan.wanted,
                       .level = settings.codec_level,
                       .base_offset = append.first_offset,
                       .leader_epoch = append.epoch,
                       .timestamp_type = settings.timestamp_type,
                       .log_append_time_ms = append.clock_ms,
                       .producer_id = header.producer_id,
                       .producer_epoch = header.producer_epoch,
                       .base_sequence = header.base_sequence,
                       .is_transactional = header.is_transactional(),
                       .is_control = header.is_control()});
}

// `is_within_bound` (may be null) becomes false where the records hold more than `decompressed_bound_bytes`: there is no
// verdict then.
result<ValidatedBatch, BatchRejection> validate_records(MutableByteView batch, const Plan& plan, const Append& append,
                                                        const ValidationSettings& settings,
                                                        size_t decompressed_bound_bytes, bool* is_within_bound) {
  std::optional<BatchBuilder> builder;
  const bool recompresses = plan.is_rewritten && plan.wanted != Codec::none;
  const size_t recompressed_limit = recompressed_limit_bytes(settings);
  if (recompresses) decompressed_bound_bytes = std::min(decompressed_bound_bytes, recompressed_limit);
  // Plain records as large as that could not be taken, however many more come.
  const size_t copied_max_bytes =
      plan.wanted == Codec::none ? static_cast<size_t>(std::max(settings.max_message_bytes, 0)) : recompressed_limit;
  if (plan.is_rewritten) builder.emplace(builder_for(batch, plan, append, settings));
  auto findings = builder ? check_and_copy_records(batch, settings, append.clock_ms, decompressed_bound_bytes,
                                                   copied_max_bytes, *builder)
                          : check_records(batch, plan.codec, settings, append.clock_ms, decompressed_bound_bytes);
  if (!findings) {
    if (is_within_bound != nullptr && findings.error().reason == BatchError::Reason::too_large) *is_within_bound = false;
    if (recompresses && findings.error().reason == BatchError::Reason::too_large)
      return fail(rejection(ErrorCode::message_too_large,
                            fmt::format("the batch holds more than {} bytes of records, the most that is compressed again as {} (compression.type); "
                                        "the limit is 64 MiB or four times max.message.bytes: send smaller batches, or set compression.type=producer",
                                        recompressed_limit, codec_name(plan.wanted))));
    return fail(rejection(findings.error()));
  }
  if (findings->error_count > 0) return fail(records_rejected(std::move(*findings)));

  if (builder) {
    if (plan.wanted == Codec::none) MOLDAU_CHECK(check_size(builder->uncompressed_size_bytes(), settings));
    Bytes rewritten = builder->finish();
    MOLDAU_CHECK(check_size(rewritten.size(), settings));
    return ValidatedBatch{.header = read_batch_header(rewritten), .rewritten = std::move(rewritten)};
  }
  if (plan.codec != Codec::none && !findings->has_offsets_in_order)
    return fail(rejection(ErrorCode::invalid_record,
                          "the offsets in the compressed batch do not count from 0 in steps of one"));
  return patched(batch, append, settings, findings->max_timestamp_ms);
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

std::optional<result<ValidatedBatch, BatchRejection>> validate_small_batch(MutableByteView batch, AppendOrigin origin,
                                                                           const ValidationSettings& settings,
                                                                           Offset first_offset, LeaderEpoch epoch,
                                                                           int64_t clock_ms) {
  const Append append{origin, first_offset, epoch, clock_ms};
  const auto plan = check_header(batch, append, settings);
  if (!plan) return fail(BatchRejection(plan.error()));
  const bool decompresses = plan->codec != Codec::none;
  if (batch.size() > (plan->is_rewritten ? small_rewritten_bytes
                      : decompresses     ? small_compressed_bytes
                                         : small_plain_bytes))
    return std::nullopt;
  bool is_small = true;
  auto validated = validate_records(batch, *plan, append, settings,
                                    plan->is_rewritten ? small_rewritten_bytes : small_decompressed_bytes, &is_small);
  if (!is_small) return std::nullopt;
  return validated;
}

result<ValidatedBatch, BatchRejection> validate_batch(MutableByteView batch, AppendOrigin origin,
                                                      const ValidationSettings& settings, Offset first_offset,
                                                      LeaderEpoch epoch, int64_t clock_ms) {
  const Append append{origin, first_offset, epoch, clock_ms};
  MOLDAU_TRY(const Plan plan, check_header(batch, append, settings));
  return validate_records(batch, plan, append, settings, decompressed_max_bytes, nullptr);
}

}  // namespace moldau::protocol
