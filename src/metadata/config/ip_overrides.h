// max.connections.per.ip.overrides: addresses and how many connections each may have, "10.0.0.1:5,::1:100".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moldau::metadata {

// Of a value that was checked before; what is no number counts as 0.
[[nodiscard]] std::vector<std::pair<std::string, int32_t>> parse_ip_overrides(std::string_view text);

}  // namespace moldau::metadata
