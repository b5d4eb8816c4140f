// Java's .properties format, as java.util.Properties.load reads a file: logical lines over backslashes, `=`,
// `:` or blanks after the key, comments with # and !, escapes with \t \n \r \f \uXXXX, bytes in ISO 8859-1.
// Text in, text out (UTF-8); knows nothing of keys or files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace moldau::metadata {

struct Property {
  std::string key;
  std::string value;
  int line = 0;  // where it begins, from 1; 0: not from a file
  friend bool operator==(const Property&, const Property&) = default;
};

struct PropertiesError {
  int line = 0;
  std::string message;
};

// All properties in the order of the file; a key may stand there more than once (the last one counts). The
// only error is a \u that four hexadecimal digits do not follow. Memory is bounded by the size of `bytes`.
[[nodiscard]] result<std::vector<Property>, PropertiesError> parse_properties(std::string_view bytes);

}  // namespace moldau::metadata
