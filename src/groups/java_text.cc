#include "groups/java_text.h"

namespace moldau::groups {
namespace {

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

template <class Visit>
void for_each_code_unit(std::string_view utf8, Visit visit) {
  for (std::size_t at = 0; at < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[at]);
    std::size_t length = first < 0x80 ? 1 : (first >> 5) == 0x6 ? 2 : (first >> 4) == 0xE ? 3 : (first >> 3) == 0x1E ? 4 : 0;
    for (std::size_t i = 1; i < length; ++i) {
      if (!is_continuation(utf8, at + i)) length = 0;
    }
    if (length == 0) {
      visit(uint16_t{0xFFFD});
      ++at;
      continue;
    }
    uint32_t code = length == 1 ? first : first & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(utf8[at + i]) & 0x3Fu);
    if (code > 0xFFFF) {
      visit(static_cast<uint16_t>(0xD800 + ((code - 0x10000) >> 10)));
      visit(static_cast<uint16_t>(0xDC00 + ((code - 0x10000) & 0x3FF)));
    } else {
      visit(static_cast<uint16_t>(code));
    }
    at += length;
  }
}

}  // namespace

int32_t java_hash(std::string_view utf8) {
  uint32_t hash = 0;
  for_each_code_unit(utf8, [&](uint16_t unit) { hash = 31 * hash + unit; });
  return static_cast<int32_t>(hash);
}

int32_t java_length(std::string_view utf8) {
  int32_t length = 0;
  for_each_code_unit(utf8, [&](uint16_t) { ++length; });
  return length;
}

}  // namespace moldau::groups
