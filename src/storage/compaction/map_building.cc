#include "storage/compaction/map_building.h"

namespace moldau::storage {

log_result<> MapBuilding::take_legacy_records(const protocol::RecordBatchHeader& header, ByteView batch) {
  MOLDAU_TRY(const protocol::LegacyBatch read, legacy_records(header, batch));
  for (const protocol::LegacyRecord& record : read.records)
    if (record.key && record.offset >= first_dirty_) records_.push_back({map_.hash(*record.key), record.offset});
  return {};
}

log_result<bool> MapBuilding::take(ByteView batch) {
  const protocol::RecordBatchHeader header = protocol::read_header_of_any_magic(batch);
  if (header.magic < 2) {
    records_.clear();
    MOLDAU_CHECK(take_legacy_records(header, batch));
    for (const Hashed& record : records_)
      if (!map_.put(record.key, record.offset)) return false;
  } else if (header.is_control()) {
    MOLDAU_TRY(const auto type, control_type_of(batch));
    (void)transactions_.take_control(header, type);
  } else if (!transactions_.take_data(header)) {
    records_.clear();
    MOLDAU_TRY(ByteView rest, plain_records(header, batch, decompressed_));
    for (int32_t i = 0; i < header.count; ++i) {
      const auto record = walk_record(rest);
      if (!record) return fail(corrupt_batch(header, record.error().what));
      const Offset offset(protocol::wrapping_sum(header.base_offset.value(), record->offset_delta));
      if (offset < Offset(0)) return fail(corrupt_batch(header, "a record with a negative offset"));
      if (!record->key || offset < first_dirty_) continue;
      records_.push_back({map_.hash(*record->key), offset});
    }
    for (const Hashed& record : records_)
      if (!map_.put(record.key, record.offset)) return false;
  }
  if (header.last_offset() >= first_dirty_) map_.set_latest_offset(header.last_offset());
  return true;
}

}  // namespace moldau::storage
