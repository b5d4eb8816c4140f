// Times, durations, sizes and counts as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moldau::cli {

// "1500" (ms), "90s", "1h30m", "2d", "250ms", "PT1H30M", "P2D"; a leading '-' is allowed. In milliseconds.
[[nodiscard]] std::optional<int64_t> parse_duration_ms(std::string_view text);

// "2026-11-22T16:00:00Z", with fractions of a second, with +01:00, without a zone (UTC), only a date;
// "@1750000000000" or a plain number of more than 10 digits (ms since 1970). In milliseconds since 1970.
[[nodiscard]] std::optional<int64_t> parse_instant_ms(std::string_view text);

// "2026-11-22T16:00:00.123Z"; "-" for a negative one.
[[nodiscard]] std::string instant_text(int64_t ms_since_1970);
// "850 ms", "12.5 s", "3m 20s", "2h 5m", "4d 3h"; rounded down.
[[nodiscard]] std::string duration_text(int64_t duration_ms);
// "512 B", "1.5 KiB", "3.2 GiB".
[[nodiscard]] std::string size_text(uint64_t bytes);
// "1,234,567".
[[nodiscard]] std::string count_text(int64_t count);

// "host:port", "[::1]:9092" or "host" (port 9092).
struct HostPort {
  std::string host;
  uint16_t port = 9092;
};
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace moldau::cli
