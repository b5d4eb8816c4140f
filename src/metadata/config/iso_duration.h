// ISO 8601 durations, PnDTnHnMn.nS, as java.time.Duration.parse takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace moldau::metadata {

// Milliseconds, rounded towards zero; nullopt for anything else, also where it does not fit.
[[nodiscard]] std::optional<int64_t> parse_iso_duration_ms(std::string_view text);

}  // namespace moldau::metadata
