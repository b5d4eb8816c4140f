#include "runtime/simulated/simulated_environment.h"

#include <fmt/format.h>

#include "runtime/simulated/simulated_files.h"
#include "runtime/simulated/simulated_network.h"

namespace moldau::runtime::simulated {

namespace {
constexpr int64_t epoch_ms = 1'767'225'600'000;  // 2026-01-01: where the wall clocks of all worlds begin
}

SimulatedShard& current_shard() { return static_cast<SimulatedShard&>(Shard::current()); }

void SimulatedShard::run_turn() {
  set_current(this);
  frames_.enter();
  now_us_ = world_.now_us();
  const uint64_t limit = timers_.next_sequence();
  while (Job job = timers_.take_due(now_us_, limit)) job();
  running_.swap(ready_);
  for (Ready& item : running_) {
    if (item.waiting)
      item.waiting.resume();
    else
      item.job();
  }
  running_.clear();
  frames_.leave();
  set_current(nullptr);
}

SimulatedEnvironment::SimulatedEnvironment(World& world, Node& node, uint64_t life, int shards, uint64_t seed)
    : world_(world), node_(node), life_(life), random_(seed) {
  for (int i = 0; i < shards; ++i) {
    simulated_shards_.push_back(std::make_unique<SimulatedShard>(i, world, frames_));
    shards_.push_back(simulated_shards_.back().get());
  }
  simulated_shards_.push_back(std::make_unique<SimulatedShard>(shards, world, frames_));
  files_ = std::make_unique<SimulatedFiles>(*this);
  network_ = std::make_unique<SimulatedNetwork>(*this);
}

SimulatedEnvironment::~SimulatedEnvironment() = default;

int64_t SimulatedEnvironment::uptime_ms() const { return (world_.now_us() - node_.powered_since_us()) / 1000; }

std::string SimulatedEnvironment::boot_id() const { return fmt::format("{}-{}", node_.host, node_.powered_since_us()); }

int64_t SimulatedEnvironment::wall_clock_ms() const { return epoch_ms + world_.now_us() / 1000 + node_.clock_offset_ms; }

task<void> SimulatedEnvironment::run_off_shard(Job work) {
  work();
  return ready();
}

void SimulatedEnvironment::start(World::Main main) {
  main_ = std::move(main);
  simulated_shards_[0]->post([this] { scope_.spawn(run_main()); });
}

task<void> SimulatedEnvironment::run_main() {
  co_await main_(*this);
  main_ended_ = true;
}

bool SimulatedEnvironment::has_ended() const {
  if (!main_ended_) return false;
  for (const auto& shard : simulated_shards_)
    if (shard->has_ready()) return false;
  return true;
}

}  // namespace moldau::runtime::simulated
