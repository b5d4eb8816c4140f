#include "cli/progress.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdio>

#include "cli/context.h"

namespace moldau::cli {

namespace {

constexpr int64_t quiet_us = 1'000'000;
constexpr int64_t step_us = 200'000;

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Progress::Progress(bool is_wanted) : is_active_(is_wanted && is_error_terminal()), started_us_(now_us()) {}

bool Progress::is_due() {
  if (!is_active_) return false;
  const int64_t now = now_us();
  if (now - started_us_ < quiet_us || now - shown_us_ < step_us) return false;
  shown_us_ = now;
  return true;
}

void Progress::show(std::string_view text) {
  if (!is_active_) return;
  fmt::print(stderr, "\r\x1b[K{}", text);
  std::fflush(stderr);
  is_shown_ = true;
}

void Progress::clear() {
  if (!is_shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  is_shown_ = false;
}

double Progress::seconds() const { return static_cast<double>(now_us() - started_us_) / 1e6; }

}  // namespace moldau::cli
