// Producer snapshots and checkpoint files from hostile bytes: read or refused, never more; what is read is written again.
#include "base/assert.h"
#include "storage/checkpoints.h"
#include "storage/file_names.h"
#include "storage/partition_directory.h"
#include "storage/producer_snapshot.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau;
  using namespace moldau::storage;
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  if (const auto producers = decode_snapshot(input)) {
    ProducerState state{ProducerStateConfig{}};
    for (const SnapshotProducer& producer : *producers) state.load(producer.id, producer.entry);
    MOLDAU_ASSERT(decode_snapshot(encode_snapshot(state)).has_value());
  }
  (void)decode_partition_offsets(input);
  if (const auto epochs = decode_leader_epochs(input))
    MOLDAU_ASSERT(decode_leader_epochs(encode_leader_epochs(*epochs)).has_value());
  (void)decode_partition_metadata(input);
  if (const auto name = parse_file_name(as_text(input)))
    MOLDAU_ASSERT(file_name(name->base_offset, name->kind, name->stage) == as_text(input));
  (void)parse_partition_directory(as_text(input));
  return 0;
}
