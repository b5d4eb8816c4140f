#include "plan.h"

#include <fmt/format.h>

namespace moldau::sim {

using runtime::simulated::Node;
using runtime::simulated::Random;
using runtime::simulated::World;

std::string Plan::to_string() const {
  return fmt::format(
      "{} shards, {} partitions, {} producers, {} consumers, {} s, rolling after {} ms, {}; every (ms) end {} restart {} reset {} "
      "block {} pause {} clock {} full disk {} failed sync {}; segment reset {}",
      shards, partitions, producers, consumers, duration_us / 1'000'000, roll_ms, power_cuts ? "power cuts" : "kills",
      end_every_us / 1000, restart_every_us / 1000, reset_every_us / 1000, block_every_us / 1000, pause_every_us / 1000,
      clock_jump_every_us / 1000, full_disk_every_us / 1000, failed_sync_every_us / 1000, segment_reset);
}

Plan draw_plan(uint64_t seed) {
  Random random(Random::mix(seed + 1));
  Plan plan{.seed = seed};
  plan.shards = static_cast<int>(1ULL << random.below(3));
  plan.partitions = static_cast<int>(1 + random.below(4));
  plan.producers = static_cast<int>(1 + random.below(3));
  plan.consumers = static_cast<int>(1 + random.below(2));
  plan.duration_us = random.between(5, 20) * 1'000'000;
  plan.roll_ms = random.chance(0.5) ? 0 : random.between(100, 5'000);
  plan.power_cuts = random.chance(0.5);
  // Some kinds of fault are left out of each world: a fault that is always there hides what happens without it.
  const auto every = [&](double likely, int64_t from_ms, int64_t to_ms) {
    return random.chance(likely) ? random.between(from_ms, to_ms) * 1000 : 0;
  };
  plan.end_every_us = every(0.7, 1500, 10'000);
  plan.restart_every_us = every(0.3, 3000, 10'000);
  plan.reset_every_us = every(0.5, 300, 5000);
  plan.block_every_us = every(0.4, 1000, 8000);
  plan.pause_every_us = every(0.3, 1000, 8000);
  plan.clock_jump_every_us = every(0.2, 2000, 8000);
  plan.full_disk_every_us = every(0.2, 3000, 8000);
  plan.failed_sync_every_us = plan.power_cuts ? every(0.2, 3000, 8000) : 0;
  plan.segment_reset = random.chance(0.3) ? 0.002 : 0;
  return plan;
}

namespace {

// Runs `fault` again and again at random times around `every_us` apart.
void repeat(World& world, int64_t every_us, int64_t end_us, const std::function<void()>& fault) {
  if (every_us == 0) return;
  const int64_t wait_us = world.random().between(every_us / 4, every_us * 7 / 4);
  if (world.now_us() + wait_us >= end_us) return;
  world.after(wait_us, [&world, every_us, end_us, fault] {
    fault();
    repeat(world, every_us, end_us, fault);
  });
}

}  // namespace

void schedule_faults(const Plan& plan, World& world, Node& node, std::vector<std::string> clients, int64_t end_us,
                     std::function<void()> ask_for_clean_stop) {
  const bool power_cuts = plan.power_cuts;
  world.wire().faults.reset = plan.segment_reset;
  const auto end = [&world, &node, power_cuts] {
    if (!node.is_running()) return;
    power_cuts ? world.crash(node) : world.kill(node);
  };
  repeat(world, plan.end_every_us, end_us, end);
  repeat(world, plan.restart_every_us, end_us, std::move(ask_for_clean_stop));
  repeat(world, plan.reset_every_us, end_us, [&world, &node] { world.wire().break_connections(node.host); });
  repeat(world, plan.block_every_us, end_us, [&world, &node, clients = std::move(clients)] {
    const std::string& client = clients[world.random().below(clients.size())];
    if (world.random().chance(0.5)) world.wire().block(client, node.host);
    if (world.random().chance(0.5)) world.wire().block(node.host, client);
    world.after(world.random().between(100'000, 3'000'000), [&world] { world.wire().heal(); });
  });
  repeat(world, plan.pause_every_us, end_us, [&world, &node] {
    if (node.is_running()) world.pause(node, world.random().between(10'000, 2'000'000));
  });
  repeat(world, plan.clock_jump_every_us, end_us,
         [&world, &node] { node.clock_offset_ms += world.random().between(-3'600'000, 3'600'000); });
  repeat(world, plan.full_disk_every_us, end_us, [&world, &node] {
    node.disk.capacity_bytes = node.disk.used_bytes() + world.random().below(4000);
    world.after(world.random().between(100'000, 2'000'000), [&node] { node.disk.capacity_bytes = UINT64_MAX; });
  });
  repeat(world, plan.failed_sync_every_us, end_us, [&world, &node, end] {
    node.disk_faults.fail_next_syncs = 1;
    // Whoever runs it replaces the disk's process in time: what a failed flush leaves is known only after a new start.
    world.after(world.random().between(200'000, 2'000'000), end);
  });
}

void heal(World& world, Node& node) {
  world.wire().faults = {};
  world.wire().heal();
  node.disk.capacity_bytes = UINT64_MAX;
  node.disk_faults = {};
}

}  // namespace moldau::sim
