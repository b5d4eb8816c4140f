#include "protocol/record_batch.h"

#include <fmt/format.h>

#include <limits>

#include "base/assert.h"
#include "base/crc32c.h"
#include "protocol/decompressed_bytes.h"
#include "protocol/reader.h"

namespace moldau::protocol {

namespace {

constexpr size_t leader_epoch_at = 12;
constexpr size_t magic_at = 16;
constexpr size_t crc_at = 17;
constexpr size_t attributes_at = 21;  // what the CRC covers begins here
constexpr size_t max_timestamp_at = 35;
constexpr int32_t smallest_length = 14;  // of an empty message of magic 0
constexpr int16_t known_attributes = 0x7f;

BatchError error(BatchError::Reason reason, std::string what) { return {reason, std::move(what)}; }

}  // namespace

int32_t advance_sequence(int32_t sequence, int32_t steps) {
  constexpr int64_t sequences = int64_t{1} << 31;
  return static_cast<int32_t>((int64_t{sequence} + steps) % sequences);
}

int32_t RecordBatchHeader::last_sequence() const {
  return base_sequence == -1 ? -1 : advance_sequence(base_sequence, last_offset_delta);
}

RecordBatchHeader read_batch_header(ByteView batch) {
  MOLDAU_ASSERT(batch.size() >= record_batch_header_bytes);
  const std::byte* at = batch.data();
  RecordBatchHeader header;
  header.base_offset = Offset(load_be<int64_t>(at));
  header.length = load_be<int32_t>(at + 8);
  header.leader_epoch = LeaderEpoch(load_be<int32_t>(at + leader_epoch_at));
  header.magic = load_be<int8_t>(at + magic_at);
  header.crc = load_be<uint32_t>(at + crc_at);
  header.attributes = load_be<int16_t>(at + attributes_at);
  header.last_offset_delta = load_be<int32_t>(at + 23);
  header.base_timestamp_ms = load_be<int64_t>(at + 27);
  header.max_timestamp_ms = load_be<int64_t>(at + max_timestamp_at);
  header.producer_id = ProducerId(load_be<int64_t>(at + 43));
  header.producer_epoch = ProducerEpoch(load_be<int16_t>(at + 51));
  header.base_sequence = load_be<int32_t>(at + 53);
  header.count = load_be<int32_t>(at + 57);
  return header;
}

void write_batch_header(MutableByteView batch, const RecordBatchHeader& header) {
  MOLDAU_ASSERT(batch.size() >= record_batch_header_bytes);
  std::byte* at = batch.data();
  store_be(at, header.base_offset.value());
  store_be(at + 8, header.length);
  store_be(at + leader_epoch_at, header.leader_epoch.value());
  store_be(at + magic_at, header.magic);
  store_be(at + crc_at, header.crc);
  store_be(at + attributes_at, header.attributes);
  store_be(at + 23, header.last_offset_delta);
  store_be(at + 27, header.base_timestamp_ms);
  store_be(at + max_timestamp_at, header.max_timestamp_ms);
  store_be(at + 43, header.producer_id.value());
  store_be(at + 51, header.producer_epoch.value());
  store_be(at + 53, header.base_sequence);
  store_be(at + 57, header.count);
}

uint32_t batch_crc(ByteView batch) {
  MOLDAU_ASSERT(batch.size() >= record_batch_header_bytes);
  return crc32c(batch.subspan(attributes_at));
}

bool is_batch_crc_right(ByteView batch) {
  return batch_crc(batch) == load_be<uint32_t>(batch.data() + crc_at);
}

void patch_base_offset(MutableByteView batch, Offset base_offset) {
  MOLDAU_ASSERT(batch.size() >= record_batch_header_bytes);
  store_be(batch.data(), base_offset.value());
}

void patch_leader_epoch(MutableByteView batch, LeaderEpoch epoch) {
  MOLDAU_ASSERT(batch.size() >= record_batch_header_bytes);
  store_be(batch.data() + leader_epoch_at, epoch.value());
}

void patch_timestamp(MutableByteView batch, TimestampType type, int64_t max_timestamp_ms) {
  const RecordBatchHeader header = read_batch_header(batch);
  if (header.timestamp_type() == type && header.max_timestamp_ms == max_timestamp_ms) return;
  int16_t attributes = header.attributes & known_attributes & ~log_append_time_bit;
  if (type == TimestampType::log_append_time) attributes |= log_append_time_bit;
  store_be(batch.data() + attributes_at, attributes);
  store_be(batch.data() + max_timestamp_at, max_timestamp_ms);
  store_be(batch.data() + crc_at, batch_crc(batch));
}

result<std::optional<BatchBytes>, BatchError> BatchCursor::next() {
  const ByteView rest = bytes_.subspan(position_);
  if (rest.size() < batch_overhead_bytes) return std::nullopt;
  const auto length = load_be<int32_t>(rest.data() + 8);
  if (length < smallest_length)
    return fail(error(
        BatchError::Reason::too_short,
        fmt::format("a batch states {} bytes, fewer than the {} that any has", length, smallest_length)));
  if (rest.size() < batch_up_to_magic_bytes) return std::nullopt;
  const auto magic = load_be<int8_t>(rest.data() + magic_at);
  if (magic < 0 || magic > 2)
    return fail(
        error(BatchError::Reason::unknown_magic, fmt::format("a batch has the unknown magic {}", magic)));
  const size_t size = static_cast<size_t>(length) + batch_overhead_bytes;
  if (rest.size() < size) return std::nullopt;
  if (magic == 2 && size < record_batch_header_bytes)
    return fail(error(BatchError::Reason::too_short,
                      fmt::format("a batch of {} bytes is shorter than its header", size)));
  position_ += size;
  return BatchBytes{rest.first(size), magic, Offset(load_be<int64_t>(rest.data()))};
}

RecordIterator::RecordIterator(ByteView batch, size_t max_bytes)
    : header_(read_batch_header(batch)), rest_(batch.subspan(record_batch_header_bytes)) {
  const auto codec = header_.codec();
  if (codec && *codec != Codec::none && header_.count > 0)
    decompressed_ = std::make_unique<DecompressedBytes>(*codec, rest_, max_bytes);
}

RecordIterator::~RecordIterator() = default;
RecordIterator::RecordIterator(RecordIterator&&) noexcept = default;
RecordIterator& RecordIterator::operator=(RecordIterator&&) noexcept = default;

result<const Record*, BatchError> RecordIterator::next() {
  if (header_.count < 0)
    return fail(
        error(BatchError::Reason::malformed, fmt::format("the batch counts {} records", header_.count)));
  if (read_count_ == header_.count) return nullptr;
  if (!header_.codec())
    return fail(error(BatchError::Reason::unknown_codec,
                      fmt::format("the batch has the unknown codec {}", header_.attributes & codec_mask)));
  if (decompressed_) {
    MOLDAU_CHECK(read_compressed());
  } else {
    MOLDAU_CHECK(read_record(rest_, record_));
  }
  if (++read_count_ == header_.count) MOLDAU_CHECK(check_nothing_remains());

  record_.offset = Offset(wrapping_sum(header_.base_offset.value(), record_.offset_delta));
  record_.timestamp_ms = header_.timestamp_type() == TimestampType::log_append_time
                             ? header_.max_timestamp_ms
                             : wrapping_sum(header_.base_timestamp_ms, record_.timestamp_delta);
  return &record_;
}

result<void, BatchError> RecordIterator::read_compressed() {
  constexpr size_t longest_prefix = 5;
  MOLDAU_TRY(const ByteView front, decompressed_->peek(longest_prefix));
  Reader prefix(front);
  const int32_t length = prefix.varint();
  if (prefix.failed() || length < 0)
    return fail(
        error(BatchError::Reason::malformed, "the decompressed bytes end where a record should begin"));
  const size_t size = prefix.position() + static_cast<size_t>(length);
  MOLDAU_TRY(ByteView whole, decompressed_->peek(size));
  MOLDAU_CHECK(read_record(whole, record_));
  decompressed_->consume(size);
  return {};
}

result<void, BatchError> RecordIterator::check_nothing_remains() {
  if (!decompressed_) {
    if (rest_.empty()) return {};
  } else {
    MOLDAU_TRY(const bool ends_here, decompressed_->ends_here());
    if (ends_here) return {};
  }
  return fail(error(BatchError::Reason::malformed, "bytes follow the last record that the batch counts"));
}

result<std::optional<Offset>, BatchError> offset_of_max_timestamp(ByteView batch) {
  RecordIterator records(batch);
  const int64_t max_timestamp_ms = records.header().max_timestamp_ms;
  while (true) {
    MOLDAU_TRY(const Record* record, records.next());
    if (record == nullptr) return std::nullopt;
    if (record->timestamp_ms == max_timestamp_ms) return record->offset;
  }
}

}  // namespace moldau::protocol
