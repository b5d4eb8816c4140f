#include "runtime/network.h"

#include <fmt/core.h>

namespace moldau::runtime {

std::string Address::to_string() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

}  // namespace moldau::runtime
