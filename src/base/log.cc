#include "base/log.h"

#include <atomic>
#include <mutex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace moldau {
namespace {

std::atomic<LogLevel> current_level{LogLevel::info};
std::mutex sink_mutex;
std::function<void(LogLevel, std::string_view)> replaced_sink;

spdlog::logger& standard_error() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("moldau", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: break;
  }
  return spdlog::level::off;
}

}  // namespace

void set_log_level(LogLevel level) { current_level.store(level, std::memory_order_relaxed); }
LogLevel log_level() { return current_level.load(std::memory_order_relaxed); }

void set_log_sink(std::function<void(LogLevel, std::string_view)> sink) {
  const std::scoped_lock lock(sink_mutex);
  replaced_sink = std::move(sink);
}

void log_line(LogLevel level, std::string_view text) {
  if (level < log_level()) return;
  const std::scoped_lock lock(sink_mutex);
  if (replaced_sink)
    replaced_sink(level, text);
  else
    standard_error().log(to_spdlog(level), "{}", text);
}

}  // namespace moldau
