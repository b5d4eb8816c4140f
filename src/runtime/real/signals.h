// SIGTERM and SIGINT as events of a shard, through a signalfd.
#pragma once

#include <functional>

#include "runtime/real/descriptor.h"
#include "runtime/real/event_shard.h"

namespace moldau::runtime::real {

// Blocks both in the calling thread and in threads that it starts later.
void block_stop_signals();

class SignalWatch final : private Pollable {
 public:
  // Calls `on_signal` on `shard` from now on. The signals are blocked in every thread.
  SignalWatch(EventShard& shard, std::function<void(int signal)> on_signal);

 private:
  void on_events(uint32_t events) override;

  EventShard& shard_;
  std::function<void(int)> on_signal_;
  Descriptor descriptor_;
};

}  // namespace moldau::runtime::real
