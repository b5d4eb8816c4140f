#include "runtime/io_error.h"

#include <cstring>

#include <fmt/core.h>

namespace moldau::runtime {

std::string IoError::message() const { return fmt::format("cannot {} {}: {}", operation, subject, strerror(error_number)); }

}  // namespace moldau::runtime
