// Any bytes as a property file: read, and what was read escaped and read again must be the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "metadata/config/properties.h"

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\f':
        out += "\\f";
        break;
      case ' ':
      case '=':
      case ':':
      case '#':
      case '!':
      case '\\':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::metadata;
  const auto read = parse_properties({reinterpret_cast<const char*>(data), size});
  if (!read) {
    MOLDAU_ASSERT(read.error().line > 0);
    return 0;
  }
  std::string again;
  int line = 0;
  for (const auto& property : *read) {
    MOLDAU_ASSERT(property.line > line);
    line = property.line;
    MOLDAU_ASSERT(property.key.size() + property.value.size() <= 2 * size);
    if (!is_ascii(property.key) || !is_ascii(property.value))
      return 0;  // a file is ISO 8859-1, text is UTF-8
    again += escaped(property.key) + "=" + escaped(property.value) + "\n";
  }
  const auto twice = parse_properties(again);
  MOLDAU_ASSERT(twice && twice->size() == read->size());
  for (size_t i = 0; i < read->size(); ++i)
    MOLDAU_ASSERT((*twice)[i].key == (*read)[i].key && (*twice)[i].value == (*read)[i].value);
  return 0;
}
