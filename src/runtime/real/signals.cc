#include "runtime/real/signals.h"

#include <sys/signalfd.h>

#include <csignal>

namespace moldau::runtime::real {

namespace {
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}
}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalWatch::SignalWatch(EventShard& shard, std::function<void(int signal)> on_signal)
    : shard_(shard), on_signal_(std::move(on_signal)) {
  const sigset_t set = stop_signals();
  descriptor_ = Descriptor(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  MOLDAU_ASSERT_MSG(descriptor_.valid() && shard.watch(descriptor_.get(), EPOLLIN, *this), "no signalfd");
}

void SignalWatch::on_events(uint32_t) {
  signalfd_siginfo info{};
  while (::read(descriptor_.get(), &info, sizeof info) == sizeof info)
    shard_.post([this, signal = static_cast<int>(info.ssi_signo)] { on_signal_(signal); });
}

}  // namespace moldau::runtime::real
