#include "run_seed.h"

#include <fmt/format.h>

#include "base/log.h"
#include "checker/checker.h"
#include "metadata/config/load_node_config.h"
#include "plan.h"
#include "runtime/simulated/simulated_environment.h"
#include "server/node.h"
#include "workload.h"

namespace moldau::sim {

using runtime::Environment;
using runtime::task;
using runtime::simulated::Node;
using runtime::simulated::Random;
using runtime::simulated::World;

namespace {

constexpr int64_t second_us = 1'000'000;
const std::string server_host = "10.0.0.1";

metadata::LoadedConfig node_config(const Plan& plan) {
  const std::string properties = fmt::format(
      "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://{0}:9092,CONTROLLER://{0}:9093\n"
      "advertised.listeners=PLAINTEXT://{0}:9092,CONTROLLER://{0}:9093\n"
      "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\ncontroller.listener.names=CONTROLLER\n"
      "inter.broker.listener.name=PLAINTEXT\ncontroller.quorum.bootstrap.servers={0}:9093\nlog.dirs=/data\n"
      "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\ntransaction.state.log.replication.factor=1\n"
      "transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n"
      "share.coordinator.state.topic.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n",
      server_host);
  metadata::ConfigInput input{.file_name = {}, .file_bytes = properties, .overrides = {}};
  input.file_name = "server.properties";
  input.file_bytes = properties;
  if (plan.roll_ms > 0) input.overrides.push_back(fmt::format("log.roll.ms={}", plan.roll_ms));
  if (plan.power_cuts) input.overrides.push_back("log.flush.interval.messages=1");
  auto loaded = metadata::load_node_config(input);
  if (!loaded) fmt::print(stderr, "{}\n", fmt::join(loaded.error(), "\n"));
  MOLDAU_ASSERT_MSG(loaded.has_value(), "the simulation's configuration is not valid");
  return std::move(*loaded);
}

// The process of the node: serves until it is asked to stop, or ends at once when it cannot start.
struct Asked {
  bool to_stop = false;
};
task<void> serve(Environment& environment, const Plan& plan, const Asked& asked) {
  auto node = std::make_unique<server::Node>(environment, node_config(plan));
  const auto started = co_await node->start();
  if (!started) log_warning("the node does not start: {}", started.error());
  while (started && !asked.to_stop) co_await runtime::sleep_ms(20);
  co_await node->stop();
}

class Scenario {
 public:
  explicit Scenario(const SeedOptions& options)
      : plan_(draw_plan(options.seed)), world_(options.seed), server_(world_.add_node(server_host, plan_.shards)),
        workload_{.world = world_, .server = {server_host, 9092}, .partitions = plan_.partitions, .history = {}} {
    if (options.trace) {
      fmt::print(stderr, "seed {}: {}\n", options.seed, plan_.to_string());
      world_.set_trace_sink([](std::string line) { fmt::print(stderr, "{}\n", line); });
    }
    set_log_sink([this, trace = options.trace](LogLevel, std::string_view line) {
      if (trace) fmt::print(stderr, "{:>12} log: {}\n", world_.now_us(), line);
    });
  }
  ~Scenario() { set_log_sink(nullptr); }

  SeedResult run() {
    keep_running();
    run_load();
    stop_load();
    Workload::State before;
    Workload::State after;
    if (result_.faults.empty() && read_all("10.0.3.1", before)) {
      note_final_reads(before);
      // What is kept is what is replayed: another process on the same disk has the same state.
      plan_.power_cuts ? world_.crash(server_) : world_.kill(server_);
      if (read_all("10.0.3.2", after) && !(after == before)) result_.faults.push_back("the state after a new start is another: " + difference(before, after));
    }
    for (const Finding& finding : check(workload_.history)) result_.faults.push_back(fmt::format("{}: {}", name_of(finding.anomaly), finding.text));
    result_.trace_hash = world_.trace_hash();
    result_.events = world_.events();
    result_.simulated_us = world_.now_us();
    result_.boots = server_.boots();
    for (const Operation& operation : workload_.history.operations) {
      if (operation.outcome == Outcome::ok) result_.acknowledged += operation.sent.size();
      result_.read += operation.read.size();
    }
    result_.commits = workload_.history.commits.size();
    return std::move(result_);
  }

 private:
  // A supervisor: boots the node whenever it is down.
  void keep_running() {
    if (!server_.is_running()) {
      asked_ = std::make_shared<Asked>();
      world_.boot(server_, [this, asked = asked_](Environment& environment) { return serve(environment, plan_, *asked); });
    }
    world_.after(world_.random().between(100'000, 1'000'000), [this] { keep_running(); });
  }

  void run_load() {
    Node& admin = world_.add_node("10.0.1.1");
    world_.boot(admin, [this](Environment& environment) { return create_topic(environment, workload_); });
    if (!world_.run_until([&] { return workload_.topic_exists; }, 60 * second_us)) {
      result_.faults.push_back("no topic could be created within a minute");
      return;
    }
    std::vector<std::string> hosts;
    const auto add_client = [&](std::string host, World::Main main) {
      hosts.push_back(host);
      clients_.push_back(&world_.add_node(std::move(host)));
      world_.boot(*clients_.back(), std::move(main));
    };
    for (int i = 0; i < plan_.producers; ++i)
      add_client(fmt::format("10.0.2.{}", i + 1), [this, seed = world_.random().next()](Environment& environment) { return produce(environment, workload_, seed); });
    for (int i = 0; i < plan_.consumers; ++i) {
      groups_.push_back(fmt::format("group-{}", i));
      add_client(fmt::format("10.0.2.{}", 100 + i), [this, group = groups_.back(), seed = world_.random().next()](Environment& environment) {
        return consume(environment, workload_, group, seed);
      });
    }
    schedule_faults(plan_, world_, server_, hosts, world_.now_us() + plan_.duration_us, [this] { asked_->to_stop = true; });
    world_.run_for(plan_.duration_us);
  }

  void stop_load() {
    // Faults that were under way when the schedule ended come to their end first.
    heal(world_, server_);
    world_.run_for(4 * second_us);
    heal(world_, server_);
    workload_.stopping = true;
    const auto ended = [&] { return std::ranges::none_of(clients_, [](const Node* client) { return client->is_running(); }); };
    if (!world_.run_until(ended, 120 * second_us)) result_.faults.push_back("clients do not end within two minutes of a healthy world");
  }

  bool read_all(std::string host, Workload::State& state) {
    Node& reader = world_.add_node(std::move(host));
    bool done = false;
    world_.boot(reader, [&](Environment& environment) { return read_state(environment, workload_, groups_, state, done); });
    if (world_.run_until([&] { return done; }, 120 * second_us)) return true;
    result_.faults.push_back("the healthy node does not answer all within two minutes");
    return false;
  }

  void note_final_reads(const Workload::State& state) {
    for (const auto& [partition, records] : state.records) {
      History::FinalRead& read = workload_.history.final_reads.emplace_back();
      read.partition = partition;
      for (const auto& [offset, value] : records) read.read.push_back({partition, offset, value});
    }
  }

  static std::string difference(const Workload::State& before, const Workload::State& after) {
    for (const auto& [partition, records] : before.records) {
      const auto& now = after.records.at(partition);
      if (records == now) continue;
      const auto [a, b] = std::ranges::mismatch(records, now);
      const auto shown = [](const auto& list, auto it) { return it == list.end() ? std::string("the end") : fmt::format("value {} at offset {}", it->second, it->first); };
      return fmt::format("{} had {} records and has {}; the first difference is {} and now {}", partition, records.size(), now.size(), shown(records, a), shown(now, b));
    }
    if (before.committed != after.committed) return "committed offsets";
    return "topics";
  }

  Plan plan_;
  World world_;
  Node& server_;
  Workload workload_;
  std::shared_ptr<Asked> asked_;
  std::vector<Node*> clients_;
  std::vector<std::string> groups_;
  SeedResult result_;
};

}  // namespace

SeedResult run_seed(const SeedOptions& options) {
  // Never destroyed: killed processes may still name parts of it.
  auto* const scenario = new Scenario(options);
  SeedResult result = scenario->run();
  set_log_sink(nullptr);
  return result;
}

}  // namespace moldau::sim
