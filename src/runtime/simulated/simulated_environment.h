// What a simulated process sees: shards, files and network of its node. Made by World::boot, one for each boot.
#pragma once

#include <memory>
#include <vector>

#include "runtime/environment.h"
#include "runtime/scope.h"
#include "runtime/simulated/process_frames.h"
#include "runtime/simulated/world.h"
#include "runtime/timer_heap.h"

namespace moldau::runtime::simulated {

class SimulatedShard final : public Shard {
 public:
  SimulatedShard(int index, World& world, ProcessFrames& frames)
      : Shard(index), world_(world), frames_(frames), now_us_(world.now_us()) {}

  void post(Job job) override { ready_.push_back({nullptr, std::move(job)}); }
  void resume_soon(std::coroutine_handle<> waiting) override { ready_.push_back({waiting, {}}); }
  [[nodiscard]] int64_t now_us() const override { return now_us_; }
  TimerId call_at(int64_t deadline_us, Job job) override { return timers_.add(deadline_us, std::move(job)); }
  void cancel(TimerId timer) override { timers_.cancel(timer); }

  [[nodiscard]] bool has_ready() const { return !ready_.empty(); }
  // INT64_MAX if there is no timer.
  [[nodiscard]] int64_t next_deadline_us() const { return timers_.next_deadline_us(); }
  // The timers that are due, and what is ready.
  void run_turn();

 private:
  struct Ready {
    std::coroutine_handle<> waiting;  // or, if null:
    Job job;
  };
  World& world_;
  ProcessFrames& frames_;
  int64_t now_us_;
  TimerHeap timers_;
  std::vector<Ready> ready_;
  std::vector<Ready> running_;
};

class SimulatedEnvironment final : public Environment {
 public:
  SimulatedEnvironment(World& world, Node& node, uint64_t life, int shards, uint64_t seed);
  ~SimulatedEnvironment() override;

  [[nodiscard]] const std::vector<Shard*>& shards() const override { return shards_; }
  [[nodiscard]] Shard& quorum_shard() const override { return *simulated_shards_.back(); }
  [[nodiscard]] FileSystem& files() override { return *files_; }
  [[nodiscard]] Network& network() override { return *network_; }
  [[nodiscard]] int64_t wall_clock_ms() const override;
  [[nodiscard]] int64_t uptime_ms() const override;
  [[nodiscard]] std::string boot_id() const override;
  [[nodiscard]] uint64_t random() override { return random_.next(); }
  // At once: other shards may run meanwhile, but nothing of this one would see the difference.
  task<void> run_off_shard(Job work) override;

  [[nodiscard]] World& world() const { return world_; }
  [[nodiscard]] Node& node() const { return node_; }
  [[nodiscard]] uint64_t life() const { return life_; }
  // All of them, the quorum's at the end.
  [[nodiscard]] const std::vector<std::unique_ptr<SimulatedShard>>& simulated_shards() const { return simulated_shards_; }

  void start(World::Main main);
  // Main has ended and nothing is ready any more.
  [[nodiscard]] bool has_ended() const;

  int64_t paused_until_us = 0;

 private:
  task<void> run_main();

  World& world_;
  Node& node_;
  uint64_t life_;
  Random random_;
  ProcessFrames frames_;
  std::vector<std::unique_ptr<SimulatedShard>> simulated_shards_;
  std::vector<Shard*> shards_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<Network> network_;
  World::Main main_;
  Scope scope_;
  bool main_ended_ = false;
};

// The shard that is running.
[[nodiscard]] SimulatedShard& current_shard();

// `co_await later(delay_us)`: continues on the same shard after so long.
[[nodiscard]] inline auto later(int64_t delay_us) {
  struct Awaiter {
    int64_t delay_us;
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> caller) const {
      Shard& shard = Shard::current();
      shard.call_at(shard.now_us() + delay_us, [caller] { caller.resume(); });
    }
    void await_resume() const {}
  };
  return Awaiter{delay_us};
}

}  // namespace moldau::runtime::simulated
