#include "storage/producer_snapshot.h"

#include "base/crc32c.h"

namespace moldau::storage {
namespace {
constexpr int16_t snapshot_version = 1;
constexpr size_t checked_from = 6;
constexpr size_t header_size = 10;
constexpr size_t producer_size = 46;
}  // namespace

Bytes encode_snapshot(const ProducerState& state) {
  const std::vector<ProducerId> order = state.snapshot_order();
  Bytes file(header_size + order.size() * producer_size);
  store_be(file.data(), snapshot_version);
  store_be(file.data() + 6, static_cast<int32_t>(order.size()));
  std::byte* at = file.data() + header_size;
  for (const ProducerId id : order) {
    const ProducerEntry& entry = *state.find(id);
    store_be(at, id.value());
    store_be(at + 8, entry.epoch.value());
    store_be(at + 10, entry.last_sequence());
    store_be(at + 14, entry.last_data_offset().value());
    store_be(at + 22, entry.last_offset_delta());
    store_be(at + 26, entry.last_timestamp_ms);
    store_be(at + 34, entry.coordinator_epoch);
    store_be(at + 38, entry.transaction_first_offset.value());
    at += producer_size;
  }
  store_be(file.data() + 2, crc32c(ByteView(file).subspan(checked_from)));
  return file;
}

result<std::vector<SnapshotProducer>, std::string> decode_snapshot(ByteView file) {
  if (file.size() < header_size) return fail(std::string("it is shorter than its header"));
  const auto version = load_be<int16_t>(file.data());
  if (version != snapshot_version) return fail(fmt::format("its version is {}, not {}", version, snapshot_version));
  const auto stored = load_be<uint32_t>(file.data() + 2);
  const uint32_t computed = crc32c(file.subspan(checked_from));
  if (stored != computed) return fail(fmt::format("its checksum is {:08x}, its bytes give {:08x}", stored, computed));
  const auto count = load_be<int32_t>(file.data() + 6);
  if (count < 0 || static_cast<size_t>(count) > (file.size() - header_size) / producer_size)
    return fail(fmt::format("it says that it holds {} producers, and has {} bytes", count, file.size()));
  std::vector<SnapshotProducer> producers;
  producers.reserve(static_cast<size_t>(count));
  const std::byte* at = file.data() + header_size;
  for (int32_t i = 0; i < count; ++i, at += producer_size) {
    SnapshotProducer& producer = producers.emplace_back();
    producer.id = ProducerId(load_be<int64_t>(at));
    ProducerEntry& entry = producer.entry;
    entry.epoch = ProducerEpoch(load_be<int16_t>(at + 8));
    entry.last_timestamp_ms = load_be<int64_t>(at + 26);
    entry.coordinator_epoch = load_be<int32_t>(at + 34);
    const auto open_from = load_be<int64_t>(at + 38);
    entry.transaction_first_offset = open_from >= 0 ? Offset(open_from) : no_offset;
    const auto last_offset = load_be<int64_t>(at + 14);
    if (last_offset >= 0)
      entry.add_batch({load_be<int32_t>(at + 10), load_be<int32_t>(at + 22), Offset(last_offset), entry.last_timestamp_ms});
  }
  return producers;
}

}  // namespace moldau::storage
