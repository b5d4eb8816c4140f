#include "metadata/config/ip_overrides.h"

#include "metadata/config/config_value.h"

namespace moldau::metadata {

std::vector<std::pair<std::string, int32_t>> parse_ip_overrides(std::string_view text) {
  std::vector<std::pair<std::string, int32_t>> overrides;
  for (const auto& entry : split_list(text)) {
    const auto colon = entry.rfind(':');
    const auto count = parse_integer(trimmed(std::string_view(entry).substr(colon + 1)), INT32_MIN, INT32_MAX);
    overrides.emplace_back(trimmed(std::string_view(entry).substr(0, colon)), static_cast<int32_t>(count.value_or(0)));
  }
  return overrides;
}

}  // namespace moldau::metadata
