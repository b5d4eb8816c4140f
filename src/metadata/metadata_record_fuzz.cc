// Any bytes as a record of the metadata log: what decodes encodes again and decodes to the same.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "metadata/metadata_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau;
  const auto record = metadata::decode_record(std::as_bytes(std::span(data, size)));
  if (!record) return 0;
  const auto again = metadata::decode_record(metadata::encode_record(*record));
  MOLDAU_ASSERT(again.has_value());
  return 0;
}
