#include "storage/compaction/batch_filter.h"

#include <algorithm>

#include "base/mutant.h"
#include "protocol/batch_builder.h"

namespace moldau::storage {

using protocol::Codec;
using protocol::ControlRecordType;
using protocol::RecordBatchHeader;
using protocol::TimestampType;

namespace {

// Of one batch; it is held whole while it is filtered.
constexpr size_t decompressed_limit_bytes = 256U << 20;

int64_t wrapping_difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

int64_t timestamp_of(const RecordBatchHeader& header, const WalkedRecord& record) {
  return header.timestamp_type() == TimestampType::log_append_time
             ? header.max_timestamp_ms
             : protocol::wrapping_sum(header.base_timestamp_ms, record.timestamp_delta);
}

// Room for the header of a batch that is about to be added; gives where the batch begins.
size_t begin_batch(FilteredBatches& kept) {
  const size_t begin = kept.bytes.size();
  kept.bytes.resize(begin + protocol::record_batch_header_bytes);
  return begin;
}

void end_batch(RecordBatchHeader header, size_t begin, FilteredBatches& kept) {
  const MutableByteView batch = MutableByteView(kept.bytes).subspan(begin);
  header.length = static_cast<int32_t>(batch.size() - protocol::batch_overhead_bytes);
  protocol::write_batch_header(batch, header);
  header.crc = protocol::batch_crc(batch);
  protocol::write_batch_header(batch, header);
  kept.headers.push_back(header);
}

}  // namespace

Error corrupt_batch(const RecordBatchHeader& header, std::string_view what) {
  return Error(protocol::ErrorCode::corrupt_message,
               fmt::format("the batch of offsets {} to {}: {}", header.base_offset, header.last_offset(), what));
}

std::optional<int> CompressionLevels::of(Codec codec) const {
  switch (codec) {
    case Codec::gzip: return gzip;
    case Codec::lz4: return lz4;
    case Codec::zstd: return zstd;
    case Codec::none:
    case Codec::snappy: break;
  }
  return std::nullopt;
}

log_result<std::optional<ControlRecordType>> control_type_of(ByteView batch) {
  protocol::RecordIterator records(batch);
  const auto first = records.next();
  if (!first) return fail(corrupt_batch(records.header(), first.error().what));
  if (*first == nullptr) return std::optional<ControlRecordType>{};
  const auto type = (*first)->key ? protocol::control_record_type(*(*first)->key) : std::nullopt;
  if (!type) return fail(corrupt_batch(records.header(), "a control record without a type"));
  return type;
}

log_result<ByteView> plain_records(const RecordBatchHeader& header, ByteView batch, Bytes& decompressed) {
  const ByteView payload = batch.subspan(protocol::record_batch_header_bytes);
  const auto codec = header.codec();
  if (!codec) return fail(corrupt_batch(header, "an unknown codec"));
  if (*codec == Codec::none || header.count == 0) return payload;
  constexpr size_t first_bytes = 64U << 10;
  const auto source = protocol::open_decompressor(*codec, payload);
  size_t size = 0;
  while (true) {
    if (size == decompressed.size()) decompressed.resize(std::max(first_bytes, size * 2));
    const auto got = source->read(MutableByteView(decompressed).subspan(size));
    if (!got) return fail(corrupt_batch(header, got.error().what));
    if (*got == 0) return ByteView(decompressed).first(size);
    size += *got;
    if (size > decompressed_limit_bytes)
      return fail(corrupt_batch(header, fmt::format("it decompresses to more than {} bytes", decompressed_limit_bytes)));
  }
}

log_result<protocol::LegacyBatch> legacy_records(const RecordBatchHeader& header, ByteView batch) {
  auto read = protocol::read_legacy_batch(batch, decompressed_limit_bytes);
  if (!read) return fail(corrupt_batch(header, read.error().what));
  if (read->records_error) return fail(corrupt_batch(header, read->records_error->what));
  for (const protocol::LegacyRecord& record : read->records)
    if (record.offset < Offset(0)) return fail(corrupt_batch(header, "a record with a negative offset"));
  return std::move(*read);
}

// Messages of magic 0 and 1 become batches of magic 2, with a horizon for their tombstones, as in Apache Kafka 4. (Where the last
// batch of a round would lose all its records, its round fails; here a header stays, as of any other batch.)
log_result<> BatchFilter::filter_legacy(const RecordBatchHeader& header, ByteView batch, FilteredBatches& kept) {
  MOLDAU_TRY(const protocol::LegacyBatch read, legacy_records(header, batch));
  counts_.records_read += read.records.size();
  std::vector<const protocol::LegacyRecord*> staying;
  bool has_tombstones = false;
  for (const protocol::LegacyRecord& record : read.records) {
    const KeyHash key = record.key ? map_.hash(*record.key) : KeyHash();
    if (!stays({record.offset, record.key ? &key : nullptr, record.value.has_value(), rules_.keeps_legacy_tombstones})) continue;
    staying.push_back(&record);
    has_tombstones = has_tombstones || !record.value;
  }
  const size_t begin = kept.bytes.size();
  if (!staying.empty()) {
    protocol::BatchBuilder builder({.codec = read.codec,
                                    .level = rules_.levels.of(read.codec),
                                    .base_offset = staying.front()->offset,
                                    .timestamp_type = read.timestamp_type == TimestampType::none ? TimestampType::create_time : read.timestamp_type,
                                    .log_append_time_ms = read.max_timestamp_ms,
                                    .delete_horizon_ms = has_tombstones ? new_horizon_ms() : std::nullopt});
    for (const protocol::LegacyRecord* record : staying) builder.append_at(record->offset, record->timestamp_ms, record->key, record->value);
    const Bytes made = builder.finish();
    kept.bytes.insert(kept.bytes.end(), made.begin(), made.end());
    kept.headers.push_back(protocol::read_batch_header(made));
  } else if (header.next_offset() == rules_.upper_bound) {
    RecordBatchHeader made;
    made.base_offset = read.last_offset;
    made.max_timestamp_ms = read.max_timestamp_ms;
    keep_header(made, kept);
  }
  counts_.records_written += staying.size();
  counts_.bytes_written += kept.bytes.size() - begin;
  return {};
}

// A horizon beyond all time is none.
std::optional<int64_t> BatchFilter::new_horizon_ms() const {
  const int64_t horizon_ms = protocol::wrapping_sum(rules_.now_ms, rules_.delete_retention_ms);
  return horizon_ms < 0 ? std::nullopt : std::optional(horizon_ms);
}

log_result<> BatchFilter::filter(ByteView batch, FilteredBatches& kept) {
  const RecordBatchHeader header = protocol::read_header_of_any_magic(batch);
  counts_.bytes_read += batch.size();
  if (header.magic < 2) return filter_legacy(header, batch, kept);
  const size_t before = kept.bytes.size();
  MOLDAU_TRY(const Verdict verdict, judge(header, batch));
  if (verdict.drops_records && !verdict.keeps_empty) return {};

  MOLDAU_CHECK(walk(header, batch));
  staying_.clear();
  bool has_tombstones = false;
  const auto horizon = header.delete_horizon_ms();
  const bool keeps_tombstones = !horizon || rules_.now_ms < *horizon;
  for (size_t i = 0; i < records_.size() && !verdict.drops_records; ++i) {
    const WalkedRecord& record = records_[i];
    const Offset offset(protocol::wrapping_sum(header.base_offset.value(), record.offset_delta));
    if (!header.is_control() && !stays({offset, record.key ? &keys_[i] : nullptr, record.has_value, keeps_tombstones})) continue;
    staying_.push_back(&record);
    has_tombstones = has_tombstones || !record.has_value;
  }

  if (!staying_.empty()) {
    // The horizon is set once, by the first pass that sees what is to go, and kept by all others.
    const bool sets_horizon = (has_tombstones || verdict.is_unneeded_marker) &&
                              (!header.delete_horizon_ms() || MOLDAU_MUTANT("delete-horizon-set-anew"));
    if (std::ssize(staying_) == header.count && !sets_horizon) {
      kept.bytes.insert(kept.bytes.end(), batch.begin(), batch.end());
      kept.headers.push_back(header);
    } else {
      rewrite(header, sets_horizon ? new_horizon_ms() : header.delete_horizon_ms(), kept);
    }
  } else if (verdict.keeps_empty) {
    keep_header(header, kept);
  }
  counts_.records_written += staying_.size();
  counts_.bytes_written += kept.bytes.size() - before;
  return {};
}

// All records of a batch and the hashes of their keys.
log_result<> BatchFilter::walk(const RecordBatchHeader& header, ByteView batch) {
  records_.clear();
  keys_.clear();
  MOLDAU_TRY(ByteView rest, plain_records(header, batch, decompressed_));
  for (int32_t i = 0; i < header.count; ++i) {
    const auto record = walk_record(rest);
    if (!record) return fail(corrupt_batch(header, record.error().what));
    records_.push_back(*record);
    keys_.push_back(record->key && !header.is_control() ? map_.hash(*record->key) : KeyHash());
  }
  if (header.count < 0 || !rest.empty()) return fail(corrupt_batch(header, "its records are not as many as it counts"));
  counts_.records_read += records_.size();
  return {};
}

log_result<BatchFilter::Verdict> BatchFilter::judge(const RecordBatchHeader& header, ByteView batch) {
  Verdict verdict;
  if (header.is_control()) {
    MOLDAU_TRY(const std::optional<ControlRecordType> type, control_type_of(batch));
    verdict.is_unneeded_marker = transactions_.take_control(header, type);
    const auto horizon_ms = header.delete_horizon_ms();
    verdict.drops_records = verdict.is_unneeded_marker && horizon_ms && *horizon_ms <= rules_.now_ms;
  } else {
    verdict.drops_records = transactions_.take_data(header);
  }
  const bool is_last = is_last_of_producer(header) && !MOLDAU_MUTANT("cleaner-drops-last-sequence");
  verdict.keeps_empty = is_last || header.next_offset() == rules_.upper_bound;
  return verdict;
}

bool BatchFilter::is_last_of_producer(const RecordBatchHeader& header) const {
  if (!header.has_producer_id()) return false;
  const auto last = last_records_.find(header.producer_id);
  if (last == last_records_.end()) return false;
  if (last->second.last_data_offset >= Offset(0)) return header.last_offset() == last->second.last_data_offset;
  // Of a producer that is known by a marker alone, the marker tells the epoch, which fences older ones.
  return header.is_control() && header.producer_epoch == last->second.epoch;
}

bool BatchFilter::stays(const Candidate& record) {
  if (record.offset > map_.latest_offset()) return true;
  if (record.key == nullptr) {
    ++counts_.records_without_key;
    return false;
  }
  const std::optional<Offset> newest = map_.find(*record.key);
  if (newest && record.offset < *newest) return false;
  if (record.has_value) return true;
  return record.keeps_tombstones && !MOLDAU_MUTANT("tombstone-removed-early");
}

void BatchFilter::rewrite(const RecordBatchHeader& header, std::optional<int64_t> delete_horizon_ms, FilteredBatches& kept) {
  const Codec codec = *header.codec();
  RecordBatchHeader made = header;
  made.attributes = static_cast<int16_t>(header.attributes & (protocol::codec_mask | protocol::log_append_time_bit |
                                                              protocol::transactional_bit | protocol::control_bit));
  if (delete_horizon_ms) made.attributes |= protocol::delete_horizon_bit;
  made.base_timestamp_ms = delete_horizon_ms.value_or(timestamp_of(header, *staying_.front()));
  made.count = static_cast<int32_t>(staying_.size());
  if (header.timestamp_type() != TimestampType::log_append_time) made.max_timestamp_ms = protocol::no_timestamp_ms;
  const size_t begin = begin_batch(kept);
  rewritten_.clear();
  Bytes& records = codec == Codec::none ? kept.bytes : rewritten_;
  for (const WalkedRecord* record : staying_) {
    const int64_t timestamp_ms = timestamp_of(header, *record);
    made.max_timestamp_ms = std::max(made.max_timestamp_ms, timestamp_ms);
    append_walked(records, *record, wrapping_difference(timestamp_ms, made.base_timestamp_ms));
  }
  if (codec != Codec::none) {
    const Bytes compressed = protocol::compress(codec, rewritten_, rules_.levels.of(codec));
    kept.bytes.insert(kept.bytes.end(), compressed.begin(), compressed.end());
  }
  end_batch(made, begin, kept);
}

void BatchFilter::keep_header(const RecordBatchHeader& header, FilteredBatches& kept) const {
  RecordBatchHeader made = header;
  made.attributes = static_cast<int16_t>(
      header.attributes & (protocol::log_append_time_bit | protocol::transactional_bit | protocol::control_bit));
  made.base_timestamp_ms = protocol::no_timestamp_ms;
  made.count = 0;
  end_batch(made, begin_batch(kept), kept);
}

}  // namespace moldau::storage
