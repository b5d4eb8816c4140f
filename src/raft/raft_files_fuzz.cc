// Any bytes as a segment of the metadata log, a snapshot, quorum-state and meta.properties.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "raft/format.h"
#include "raft/metadata_batch.h"
#include "raft/quorum_state.h"
#include "raft/snapshot_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (const auto read = raft::read_batches(bytes)) MOLDAU_ASSERT(read->valid_bytes <= size);
  (void)raft::read_snapshot(bytes);
  (void)raft::read_quorum_state(as_text(bytes));
  (void)raft::read_meta_properties(as_text(bytes));
  return 0;
}
