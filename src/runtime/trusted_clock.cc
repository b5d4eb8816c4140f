#include "runtime/trusted_clock.h"

#include "base/mutant.h"

namespace moldau::runtime {

TrustedClock::TrustedClock(Environment& environment)
    : environment_(environment), offset_ms_(environment.wall_clock_ms() - environment.uptime_ms()) {}

int64_t TrustedClock::ahead_ms() const {
  const int64_t bound_ms = this->bound_ms();
  if (bound_ms < 0 || MOLDAU_MUTANT("clock-jump-believed")) return 0;
  const int64_t ahead_ms = environment_.wall_clock_ms() - steady_ms();
  return ahead_ms > bound_ms ? ahead_ms : 0;
}

int64_t TrustedClock::now_ms() const { return ahead_ms() == 0 ? environment_.wall_clock_ms() : steady_ms(); }

void TrustedClock::follow() {
  if (ahead_ms() == 0) trust(environment_.wall_clock_ms(), environment_.uptime_ms());
}

}  // namespace moldau::runtime
