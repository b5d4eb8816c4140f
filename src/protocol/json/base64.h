// Base64 with the standard alphabet and padding (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace moldau::protocol {

[[nodiscard]] std::string to_base64(ByteView bytes);
// Null for anything that to_base64 would not have written.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace moldau::protocol
