// ClockWatch: keeps Broker::clock, the time by which things grow old, through restarts, and tells of a wall clock that jumps.
//
// Owned by the node, on shard 0. What the clocks said is written to `.moldau_clock` in the metadata directory now and then
// and at a stop. In the same start of the machine that is enough to tell a jump from time that has passed; after a reboot
// some time without the machine is believed. docs/internals/clocks.md.
#pragma once

#include <string>

#include "runtime/environment.h"
#include "runtime/trusted_clock.h"

namespace moldau::broker {

class ClockWatch {
 public:
  ClockWatch(runtime::Environment& environment, runtime::TrustedClock& clock, std::string directory);

  // Before a log is opened.
  [[nodiscard]] runtime::task<void> start();
  // Every few seconds.
  [[nodiscard]] runtime::task<void> look();
  [[nodiscard]] runtime::task<void> write();

 private:
  void take(std::string_view written);
  void tell();

  runtime::Environment& environment_;
  runtime::TrustedClock& clock_;
  std::string path_;
  bool is_ahead_ = false;
  int looks_behind_ = 0;
  int64_t written_at_ms_ = 0;  // uptime
};

}  // namespace moldau::broker
