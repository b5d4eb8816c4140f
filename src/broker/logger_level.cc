#include "broker/logger_level.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/log.h"

namespace moldau::broker {

namespace {

struct Level {
  std::string_view name;
  LogLevel level;
};

// Moldau has nothing finer than debug and nothing graver than an error.
constexpr std::array<Level, 6> levels{{{"TRACE", LogLevel::debug},
                                       {"DEBUG", LogLevel::debug},
                                       {"INFO", LogLevel::info},
                                       {"WARN", LogLevel::warning},
                                       {"ERROR", LogLevel::error},
                                       {"FATAL", LogLevel::off}}};

}  // namespace

void LoggerLevel::set(std::string_view name) {
  const auto* const found = std::ranges::find(levels, name, &Level::name);
  MOLDAU_ASSERT_MSG(found != levels.end(), "a level that alter_configs let through");
  index_ = static_cast<size_t>(found - levels.begin());
  log_warning("the log level is {} from now on", name);
  set_log_level(found->level);
}

std::string_view LoggerLevel::name() const { return levels[index_].name; }

}  // namespace moldau::broker
