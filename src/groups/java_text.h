// How Java sees a string: UTF-16 code units. Kafka hashes and measures ids and metadata that way; ours are UTF-8.
#pragma once

#include <cstdint>
#include <string_view>

namespace moldau::groups {

// String.hashCode(). Malformed UTF-8 counts as U+FFFD for each bad byte.
[[nodiscard]] int32_t java_hash(std::string_view utf8);
// String.length().
[[nodiscard]] int32_t java_length(std::string_view utf8);

}  // namespace moldau::groups
