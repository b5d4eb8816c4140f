#include "plan.h"

#include <memory>
#include <span>

#include <fmt/format.h>

namespace moldau::sim {

using runtime::simulated::Node;
using runtime::simulated::Random;
using runtime::simulated::World;

std::string Plan::to_string() const {
  return fmt::format(
      "{} shards, {} partitions, {} producers{}, {} consumers{}, {} members ({} static), {} s, rolling after {} ms, retention {} ms "
      "{} bytes, index every {} bytes, checkpoints every {} ms, disk within {} us and {} written back, {}; every (ms) end {} restart {} reset {} "
      "block {} pause {} clock {} leap {} full disk {} failed sync {} client's end {} move {}; segment reset {}",
      shards, partitions, producers, wraps_sequences ? " that wrap" : "", consumers, reads_committed ? " of committed data" : "",
      members, static_members, duration_us / 1'000'000, roll_ms, retention_ms, retention_bytes, index_interval_bytes, checkpoint_ms,
      disk_latency_us_max, written_back, !power_cuts ? "kills" : durable_acks ? "power cuts, durable acks" : "power cuts", end_every_us / 1000, restart_every_us / 1000,
      reset_every_us / 1000, block_every_us / 1000, pause_every_us / 1000, clock_jump_every_us / 1000, clock_leap_every_us / 1000,
      full_disk_every_us / 1000, failed_sync_every_us / 1000, client_end_every_us / 1000, move_every_us / 1000, segment_reset);
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
  plan.client_end_every_us = every(0.4, 1000, 6000);

  plan.members = random.chance(0.6) ? static_cast<int>(1 + random.below(3)) : 0;
  plan.static_members = random.chance(0.5) ? static_cast<int>(random.below(static_cast<uint64_t>(plan.members) + 1)) : 0;
  plan.wraps_sequences = random.chance(0.25);
  plan.reads_committed = random.chance(0.3);
  if (random.chance(0.5)) plan.index_interval_bytes = random.between(0, 1000);
  if (random.chance(0.6)) plan.checkpoint_ms = random.between(20, 2000);
  // A slow disk keeps appends and flushes under way for longer, so that more faults meet one.
  if (random.chance(0.5)) plan.disk_latency_us_max = random.between(1000, 40'000);
  const uint64_t retention = random.below(6);
  if (retention < 2) {
    plan.roll_ms = random.between(100, 2000);
    (retention == 0 ? plan.retention_ms : plan.retention_bytes) = retention == 0 ? random.between(500, 5000) : random.between(1000, 30'000);
    if (retention == 0) plan.clock_jump_every_us = 0;  // or nobody can say what was due
  }
  plan.durable_acks = plan.power_cuts && random.chance(0.25);
  plan.move_every_us = every(0.35, 200, 3000);
  plan.clock_leap_every_us = every(plan.retention_ms >= 0 ? 0.6 : 0.1, 500, 5000);
  if (plan.clock_leap_every_us > 0) plan.clock_jump_every_us = 0;
  plan.written_back = random.chance(0.3) ? 0.2 : 0;
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

// Where a clock may stand, in hours from the right time: whichever of these it leaves for whichever other, the way is longer than
// what the node takes for a correction, and where the machine goes down, than what it takes for the time that it was off.
int64_t draw_leap_hours(Random& random, bool machine_goes_down) {
  static constexpr int64_t short_way[] = {-200, -26, -5, 0, 0, 3, 12, 48, 400, 8800, 90'000};
  static constexpr int64_t long_way[] = {-9000, -200, -60, 0, 0, 30, 80, 400, 8800, 90'000};
  const std::span<const int64_t> hours = machine_goes_down ? std::span<const int64_t>(long_way) : std::span<const int64_t>(short_way);
  return hours[random.below(hours.size())];
}

}  // namespace

void schedule_faults(const Plan& plan, World& world, Targets targets, int64_t end_us) {
  // The targets outlive the schedule, which ends with the world.
  const auto to = std::make_shared<const Targets>(std::move(targets));
  const auto repeated = [&](int64_t every_us, std::function<void(const Targets&)> fault) {
    repeat(world, every_us, end_us, [to, fault = std::move(fault)] { fault(*to); });
  };
  const auto pick_client = [&world](const Targets& of) { return of.clients[world.random().below(of.clients.size())]; };
  // Where the power goes now and then, the process alone may end as well: then the page cache stays, and with it what a
  // failed sync has kept from the medium.
  const auto end = [&world, power_cuts = plan.power_cuts](const Targets& at) {
    if (!at.node.is_running()) return;
    power_cuts && world.random().chance(0.6) ? world.crash(at.node) : world.kill(at.node);
  };
  world.wire().faults.reset = plan.segment_reset;
  to->node.disk_faults.latency_us_max = plan.disk_latency_us_max;
  to->node.disk_faults.written_back = plan.written_back;
  repeated(plan.end_every_us, end);
  repeated(plan.restart_every_us, [](const Targets& at) { at.ask_for_clean_stop(); });
  repeated(plan.reset_every_us, [&world](const Targets& at) { world.wire().break_connections(at.node.host); });
  repeated(plan.block_every_us, [&world, pick_client](const Targets& at) {
    const std::string client = pick_client(at);
    if (world.random().chance(0.5)) world.wire().block(client, at.node.host);
    if (world.random().chance(0.5)) world.wire().block(at.node.host, client);
    world.after(world.random().between(100'000, 3'000'000), [&world] { world.wire().heal(); });
  });
  repeated(plan.pause_every_us, [&world](const Targets& at) {
    if (at.node.is_running()) world.pause(at.node, world.random().between(10'000, 2'000'000));
  });
  repeated(plan.clock_jump_every_us,
           [&world](const Targets& at) { at.node.clock_offset_ms += world.random().between(-3'600'000, 3'600'000); });
  repeated(plan.clock_leap_every_us, [&world, may_go_down = plan.power_cuts](const Targets& at) {
    at.node.clock_offset_ms = draw_leap_hours(world.random(), may_go_down) * 3'600'000;
  });
  repeated(plan.full_disk_every_us, [&world, to](const Targets& at) {
    at.node.disk.capacity_bytes = at.node.disk.used_bytes() + world.random().below(4000);
    world.after(world.random().between(100'000, 2'000'000), [to] { to->node.disk.capacity_bytes = UINT64_MAX; });
  });
  repeated(plan.failed_sync_every_us, [&world, to, end](const Targets& at) {
    at.node.disk_faults.fail_next_syncs = 1;
    // Whoever runs it replaces the disk's process in time: what a failed flush leaves is known only after a new start.
    world.after(world.random().between(200'000, 2'000'000), [to, end] { end(*to); });
  });
  repeated(plan.client_end_every_us, [pick_client](const Targets& at) { at.kill_client(pick_client(at)); });
}

void heal(World& world, Node& node) {
  world.wire().faults = {};
  world.wire().heal();
  node.disk.capacity_bytes = UINT64_MAX;
  node.disk_faults = {};
}

}  // namespace moldau::sim
