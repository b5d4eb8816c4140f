// Batches from hostile bytes: walking them, reading their records, old forms, and a leader's check. What the
// leader takes, a reader must be able to read, as many records as it says.
#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "protocol/batch_validation.h"
#include "protocol/legacy_batch.h"
#include "protocol/record_places.h"

using namespace moldau;
using namespace moldau::protocol;

namespace {

constexpr size_t decompressed_here_max_bytes = 1 << 20;

struct Count {
  int32_t records = 0;
  bool is_whole = false;
};

Count count_records(ByteView batch) {
  RecordIterator records(batch, decompressed_here_max_bytes);
  std::vector<RecordPlace> seen;
  Count count;
  while (true) {
    const auto record = records.next();
    if (!record) return count;
    if (*record == nullptr) break;
    seen.push_back({(*record)->offset, (*record)->timestamp_ms});
    ++count.records;
    (void)(*record)->headers.decode();
  }
  count.is_whole = true;
  // Of what is whole a look at the places alone finds the same. (Where it is not, that may find so a record earlier, for it reads ahead.)
  RecordPlaces places(batch);
  for (const RecordPlace& expected : seen) {
    const auto place = places.next();
    MOLDAU_ASSERT(place && *place == expected);
  }
  const auto end = places.next();
  MOLDAU_ASSERT(end && !*end);
  return count;
}

void check_append(ByteView batch, uint8_t choice) {
  Bytes bytes = to_bytes(batch);
  ValidationSettings settings;
  settings.is_compacted = (choice & 1) != 0;
  if ((choice & 2) != 0) settings.timestamp_type = TimestampType::log_append_time;
  if ((choice & 4) != 0) settings.codec = static_cast<Codec>((choice >> 4) % 5);
  // Most of what a fuzzer makes has a wrong CRC, and would go no further.
  const uint32_t crc = batch_crc(bytes);
  store_be(bytes.data() + 17, crc);
  const auto validated =
      validate_batch(bytes, AppendOrigin::client, settings, Offset(70), LeaderEpoch(3), 1'750'000'000'000);
  if (!validated) {
    MOLDAU_ASSERT(validated.error().code != ErrorCode::none && !validated.error().message.empty());
    return;
  }
  const ByteView written = validated->rewritten ? ByteView(*validated->rewritten) : ByteView(bytes);
  MOLDAU_ASSERT(is_batch_crc_right(written));
  MOLDAU_ASSERT(validated->header.base_offset == Offset(70));
  const Count count = count_records(written);
  MOLDAU_ASSERT(!count.is_whole || count.records == validated->header.count);
}

}  // namespace

// The first byte chooses the topic's settings.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  (void)single_produced_batch(bytes, 13);
  BatchCursor cursor(bytes);
  while (true) {
    const auto batch = cursor.next();
    if (!batch || !*batch) return 0;
    if ((*batch)->magic < 2) {
      (void)read_legacy_batch((*batch)->bytes, decompressed_here_max_bytes);
    } else {
      (void)count_records((*batch)->bytes);
      check_append((*batch)->bytes, data[0]);
    }
  }
}
