// What the process says of itself: one line an event, to standard error by default.
//
// `log_info("loaded {} partitions in {} ms", n, ms)`. Never log a secret or a record's contents. Anything that a client
// can trigger goes through a LogLimiter, so that it cannot fill a disk.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <fmt/core.h>

namespace moldau {

enum class LogLevel : uint8_t { debug, info, warning, error, off };

void set_log_level(LogLevel level);
[[nodiscard]] LogLevel log_level();
// Replaces the sink (tests, the simulator); null restores standard error.
void set_log_sink(std::function<void(LogLevel, std::string_view)> sink);
void log_line(LogLevel level, std::string_view text);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_level() <= LogLevel::debug) log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  if (log_level() <= LogLevel::info) log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  if (log_level() <= LogLevel::warning) log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  if (log_level() <= LogLevel::error) log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace moldau
