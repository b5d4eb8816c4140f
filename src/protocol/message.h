// What every generated message header stands on: the types of its fields, and the two classes that its codec uses.
//
// A message is one struct for all its versions, with Kafka's defaults as initialisers. Include protocol/reader.h to
// decode one, protocol/writer.h to encode one, protocol/json/message_json.h to print one.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "protocol/api_key.h"
#include "protocol/records.h"
#include "protocol/version_range.h"

namespace moldau::protocol {

class Reader;
class Writer;

// A field that a version does not know (KIP-482). It is kept, and written again in its place.
struct TaggedField {
  uint32_t tag = 0;
  Bytes data;
  friend bool operator==(const TaggedField&, const TaggedField&) = default;
};

// `first_flexible_version` of a message that has none.
inline constexpr int16_t never_flexible = std::numeric_limits<int16_t>::max();

}  // namespace moldau::protocol
