// Every request in every version, from hostile bytes: it decodes or is refused, and what decodes comes back
// from its own encoding as the same bytes.
#include <cstdlib>

#include "base/assert.h"
#include "protocol/json/message_types.h"
#include "protocol/reader.h"

using namespace moldau;
using namespace moldau::protocol;

// Two bytes choose the message and the version, the rest is its body. Headers and the records of logs take
// part as well: their bytes come from outside too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto types = message_types();
  const MessageType& type = *types[(data[0] | (data[1] & 1) << 8) % types.size()].type;
  const VersionRange versions = type.valid_versions;
  const auto version =
      static_cast<int16_t>(versions.min + (data[1] >> 1) % (versions.max - versions.min + 1));
  const ByteView body(reinterpret_cast<const std::byte*>(data) + 2, size - 2);

  Reader reader(body);
  const auto once = type.recode(reader, version);
  if (!once) {
    MOLDAU_ASSERT(!once.error().to_string().empty());
    return 0;
  }
  Reader again(*once);
  const auto twice = type.recode(again, version);
  MOLDAU_ASSERT(twice.has_value());
  MOLDAU_ASSERT(*twice == *once);
  MOLDAU_ASSERT(again.remaining() == 0);
  return 0;
}
