#include "runtime/simulated/world.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/crc32c.h"
#include "runtime/simulated/simulated_environment.h"

namespace moldau::runtime::simulated {

namespace {

// Processes that were killed. Their objects may be in any state, so nothing of them is ever destroyed.
std::vector<std::unique_ptr<SimulatedEnvironment>>& graveyard() {
  static auto* const environments = new std::vector<std::unique_ptr<SimulatedEnvironment>>;
  return *environments;
}

}  // namespace

World::World(uint64_t seed) : seed_(seed), random_(seed), trace_hash_(Random::mix(seed)), wire_(*this) {}

World::~World() {
  for (auto& [life, environment] : running_) {
    if (environment->has_ended())
      environment.reset();
    else
      graveyard().push_back(std::move(environment));
  }
}

Node& World::add_node(std::string host, int shards) {
  MOLDAU_ASSERT_MSG(node_of(host) == nullptr, "two nodes with one address");
  nodes_.push_back(std::unique_ptr<Node>(new Node(std::move(host), shards)));
  return *nodes_.back();
}

Node* World::node_of(std::string_view host) const {
  for (const auto& node : nodes_)
    if (node->host == host) return node.get();
  return nullptr;
}

SimulatedEnvironment* World::environment_of(uint64_t life) const {
  const auto found = running_.find(life);
  return found == running_.end() ? nullptr : found->second.get();
}

void World::boot(Node& node, Main main) {
  MOLDAU_ASSERT_MSG(!node.is_running(), "the node is running already");
  const uint64_t life = next_life_++;
  ++node.boots_;
  trace("boot", node.host, life);
  auto environment = std::make_unique<SimulatedEnvironment>(*this, node, life, node.shards_, Random::mix(seed_ ^ Random::mix(life)));
  node.environment_ = environment.get();
  environment->start(std::move(main));
  running_[life] = std::move(environment);
}

void World::end(Node& node) {
  SimulatedEnvironment* const environment = std::exchange(node.environment_, nullptr);
  MOLDAU_ASSERT_MSG(environment != nullptr, "the node is not running");
  MOLDAU_ASSERT_MSG(Shard::current_or_null() == nullptr, "a node is ended from outside of every shard");
  const uint64_t life = environment->life();
  wire_.end_of(life);
  graveyard().push_back(std::move(running_[life]));
  running_.erase(life);
}

void World::crash(Node& node) {
  trace("crash", node.host);
  end(node);
  node.disk.crash(random_);
  node.powered_since_us_ = now_us_;
}

void World::kill(Node& node) {
  trace("kill", node.host);
  end(node);
  node.disk.end_of_process();
}

void World::pause(Node& node, int64_t duration_us) {
  MOLDAU_ASSERT(node.is_running());
  trace("pause", node.host, static_cast<uint64_t>(duration_us));
  node.environment_->paused_until_us = now_us_ + duration_us;
}

void World::trace(std::string_view what, std::string_view subject, uint64_t a, uint64_t b) {
  ++events_;
  const auto stir = [this](uint64_t value) { trace_hash_ = Random::mix(trace_hash_ ^ value) + 0x9E3779B97F4A7C15ULL; };
  stir(static_cast<uint64_t>(now_us_));
  stir(static_cast<uint64_t>(crc32c(as_bytes(what))) << 32 | crc32c(as_bytes(subject)));
  stir(a);
  stir(b);
  if (trace_sink_) trace_sink_(fmt::format("{:>12} {} {} {:x} {:x}", now_us_, what, subject, a, b));
}

void World::schedule(int64_t delay_us, uint64_t life, Job job) {
  queue_.push_back({now_us_ + std::max<int64_t>(delay_us, 0), next_sequence_++, life, std::move(job)});
  std::push_heap(queue_.begin(), queue_.end(), later);
}

bool World::step() {
  if (run_due_event()) return true;
  if (run_one_shard()) return true;
  return pass_time();
}

bool World::run_due_event() {
  if (queue_.empty() || queue_.front().at_us > now_us_) return false;
  std::pop_heap(queue_.begin(), queue_.end(), later);
  Event event = std::move(queue_.back());
  queue_.pop_back();
  if (event.life == 0 || environment_of(event.life) != nullptr) event.job();
  return true;
}

bool World::run_one_shard() {
  std::vector<std::pair<SimulatedEnvironment*, SimulatedShard*>> runnable;
  for (const auto& [life, environment] : running_) {
    if (environment->paused_until_us > now_us_) continue;
    for (const auto& shard : environment->simulated_shards())
      if (shard->has_ready() || shard->next_deadline_us() <= now_us_) runnable.emplace_back(environment.get(), shard.get());
  }
  if (runnable.empty()) return false;
  const auto [environment, shard] = runnable[random_.below(runnable.size())];
  trace("turn", environment->node().host, static_cast<uint64_t>(shard->index()));
  shard->run_turn();
  now_us_ += random_.between(1, 8);  // what a turn costs; without it, code that yields in a loop would stop time
  if (environment->has_ended()) {
    trace("end", environment->node().host);
    environment->node().environment_ended();
    environment->node().disk.end_of_process();
    wire_.end_of(environment->life());
    running_.erase(environment->life());
  }
  return true;
}

bool World::pass_time() {
  int64_t next_us = queue_.empty() ? INT64_MAX : queue_.front().at_us;
  for (const auto& [life, environment] : running_) {
    for (const auto& shard : environment->simulated_shards()) {
      const int64_t due_us = shard->has_ready() ? now_us_ : shard->next_deadline_us();
      if (due_us != INT64_MAX) next_us = std::min(next_us, std::max(due_us, environment->paused_until_us));
    }
  }
  if (next_us == INT64_MAX) return false;
  now_us_ = std::max(now_us_, next_us);
  return true;
}

bool World::run_until(const std::function<bool()>& done, int64_t limit_us) {
  const int64_t end_us = now_us_ + limit_us;
  while (!done()) {
    if (now_us_ > end_us || !step()) return false;
  }
  return true;
}

void World::run_for(int64_t duration_us) {
  bool over = false;
  after(duration_us, [&over] { over = true; });
  while (!over && step()) {
  }
}

}  // namespace moldau::runtime::simulated
