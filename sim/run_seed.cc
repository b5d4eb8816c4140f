#include "run_seed.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

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
      "inter.broker.listener.name=PLAINTEXT\ncontroller.quorum.bootstrap.servers={0}:9093\nlog.dirs={2}\n"
      "offsets.topic.replication.factor=1\noffsets.topic.num.partitions={3}\ntransaction.state.log.replication.factor=1\n"
      "transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n"
      "share.coordinator.state.topic.min.isr=1\ngroup.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=500\n"
      "log.retention.check.interval.ms=300\nlog.segment.delete.delay.ms=500\nlog.index.size.max.bytes=12000\n"
      "log.flush.offset.checkpoint.interval.ms={1}\n",
      server_host, plan.checkpoint_ms, plan.move_every_us > 0 ? fmt::format("{}", fmt::join(log_directories, ",")) : log_directories[0],
      offsets_partitions);
  metadata::ConfigInput input{.file_name = {}, .file_bytes = properties, .overrides = {}};
  input.file_name = "server.properties";
  input.file_bytes = properties;
  if (plan.roll_ms > 0) input.overrides.push_back(fmt::format("log.roll.ms={}", plan.roll_ms));
  if (plan.power_cuts) input.overrides.push_back(plan.durable_acks ? "moldau.durable.acks=true" : "log.flush.interval.messages=1");
  auto loaded = metadata::load_node_config(input);
  if (!loaded) fmt::print(stderr, "{}\n", fmt::join(loaded.error(), "\n"));
  MOLDAU_ASSERT_MSG(loaded.has_value(), "the simulation's configuration is not valid");
  return std::move(*loaded);
}

std::vector<std::pair<std::string, std::string>> topic_configs(const Plan& plan) {
  return {{"retention.ms", std::to_string(plan.retention_ms)},
          {"retention.bytes", std::to_string(plan.retention_bytes)},
          {"index.interval.bytes", std::to_string(plan.index_interval_bytes)},
          // A record that a clock in the past thinks is from the future is welcome: producers would end, and nothing more be found.
          {"message.timestamp.after.max.ms", std::to_string(INT64_MAX)}};
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
        workload_{.world = world_,
                  .node = server_,
                  .server = {server_host, 9092},
                  .partitions = plan_.partitions,
                  .topic_configs = topic_configs(plan_),
                  .wraps_sequences = plan_.wraps_sequences,
                  .isolation = plan_.reads_committed ? client::Isolation::read_committed : client::Isolation::read_uncommitted,
                  .removes_records = plan_.retention_ms >= 0 || plan_.retention_bytes >= 0,
                  .disk_fills = plan_.full_disk_every_us > 0,
                  .history = {}} {
    workload_.history.retention_ms = plan_.retention_ms;
    workload_.history.retention_bytes = plan_.retention_bytes;
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
      if (read_all("10.0.3.2", after))
        if (const auto differs = difference(before, after)) result_.faults.push_back("the state after a new start is another: " + *differs);
    }
    for (std::string& surprise : workload_.surprises) result_.faults.push_back(std::move(surprise));
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
    result_.moves = workload_.moves;
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
    for (int i = 0; i < plan_.producers; ++i)
      add_client(fmt::format("10.0.2.{}", i + 1), [this](Environment& environment) { return produce(environment, workload_, world_.random().next()); });
    for (int i = 0; i < plan_.consumers; ++i) {
      groups_.push_back(fmt::format("group-{}", i));
      add_client(fmt::format("10.0.2.{}", 100 + i), [this, group = groups_.back()](Environment& environment) {
        return consume(environment, workload_, group, world_.random().next());
      });
    }
    if (plan_.members > 0) groups_.push_back("team");
    for (int i = 0; i < plan_.members; ++i) {
      const std::string instance_id = i < plan_.static_members ? fmt::format("instance-{}", i) : "";
      add_client(fmt::format("10.0.2.{}", 200 + i), [this, instance_id](Environment& environment) {
        return join_and_consume(environment, workload_, "team", instance_id, world_.random().next());
      }, true);
    }
    if (plan_.move_every_us > 0)
      add_client("10.0.2.250", [this](Environment& environment) {
        return move_partitions(environment, workload_, plan_.move_every_us / 1000, world_.random().next());
      });
    std::vector<std::string> hosts;
    for (const auto& [host, client] : clients_) hosts.push_back(host);
    schedule_faults(plan_, world_,
                    {.node = server_,
                     .clients = std::move(hosts),
                     .ask_for_clean_stop = [this] { asked_->to_stop = true; },
                     .kill_client = [this](const std::string& host) { kill_client(clients_.at(host)); }},
                    world_.now_us() + plan_.duration_us);
    world_.run_for(plan_.duration_us);
  }

  struct Client {
    Node* node = nullptr;
    World::Main main;
    bool is_member = false;
  };
  void add_client(const std::string& host, World::Main main, bool is_member = false) {
    Client& client = clients_[host] = {&world_.add_node(host), std::move(main), is_member};
    world_.boot(*client.node, client.main);
  }
  void kill_client(Client& client) {
    if (!client.node->is_running()) return;
    world_.kill(*client.node);
    // A member may be gone for good, if another is left to take over.
    if (client.is_member && members_gone_ + 1 < plan_.members && world_.random().chance(0.3)) {
      ++members_gone_;
      return;
    }
    world_.after(world_.random().between(50'000, 3'000'000), [this, &client] {
      if (!workload_.stopping) world_.boot(*client.node, client.main);
    });
  }

  void stop_load() {
    // Faults that were under way when the schedule ended come to their end first.
    heal(world_, server_);
    world_.run_for(4 * second_us);
    heal(world_, server_);
    workload_.producers_stop = true;
    const auto producers_ended = [this] {
      for (int i = 0; i < plan_.producers; ++i)
        if (clients_.at(fmt::format("10.0.2.{}", i + 1)).node->is_running()) return false;
      return true;
    };
    if (!world_.run_until(producers_ended, 120 * second_us)) result_.faults.push_back("producers do not end within two minutes of a healthy world");
    workload_.draining = true;
    const std::map<Partition, int64_t> goals = acknowledged_ends();
    std::string behind;
    if (!world_.run_until([&] { return (behind = find_behind(goals)).empty(); }, 120 * second_us))
      result_.faults.push_back("does not catch up within two minutes of a healthy world: " + behind);
    workload_.stopping = true;
    const auto ended = [this] { return std::ranges::none_of(clients_, [](const auto& client) { return client.second.node->is_running(); }); };
    if (!world_.run_until(ended, 120 * second_us)) result_.faults.push_back("clients do not end within two minutes of a healthy world");
  }

  // One past the last acknowledged offset of each partition.
  std::map<Partition, int64_t> acknowledged_ends() const {
    std::map<Partition, int64_t> ends;
    for (const Operation& operation : workload_.history.operations)
      for (const Sent& sent : operation.sent)
        if (sent.offset) ends[sent.partition] = std::max(ends[sent.partition], *sent.offset + 1);
    return ends;
  }
  // A group that has not committed as far, or nothing.
  std::string find_behind(const std::map<Partition, int64_t>& goals) {
    for (const std::string& group : groups_)
      for (const auto& [partition, goal] : goals)
        if (const int64_t at = workload_.acknowledged_commits[{group, partition}]; at < goal)
          return fmt::format("group {} is at {} of {}, which ends at {}", group, at, partition, goal);
    return "";
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
    for (const auto& [partition, log] : state.logs)
      workload_.history.final_reads.push_back({.partition = partition,
                                               .log_start_offset = log.start_offset,
                                               .read = log.records,
                                               .size_bytes = log.size_bytes});
  }

  // What retention removed between the two, or a crash brought back, is not compared.
  std::optional<std::string> difference(const Workload::State& before, const Workload::State& after) const {
    for (const auto& [partition, log] : before.logs) {
      const Workload::State::Log& now = after.logs.at(partition);
      const int64_t start = std::max(log.start_offset, now.start_offset);
      const auto from_start = [start](const std::vector<Read>& records) {
        return std::ranges::subrange(std::ranges::lower_bound(records, start, {}, &Read::offset), records.end());
      };
      const auto same = [](const Read& a, const Read& b) { return a.offset == b.offset && a.value == b.value; };
      const auto was = from_start(log.records);
      const auto is = from_start(now.records);
      const auto [a, b] = std::ranges::mismatch(was, is, same);
      if (a == was.end() && b == is.end()) continue;
      const auto shown = [](auto it, auto end) { return it == end ? std::string("the end") : fmt::format("value {} at offset {}", it->value, it->offset); };
      return fmt::format("{} had {} records from {} on and has {}; the first difference is {} and now {}", partition, was.size(), start,
                         is.size(), shown(a, was.end()), shown(b, is.end()));
    }
    if (before.committed != after.committed) return "committed offsets";
    if (before.topics != after.topics) return "topics";
    // A producer all of whose records are gone may be forgotten.
    if (!workload_.removes_records && before.producers != after.producers)
      for (const auto& [partition, producers] : before.producers)
        if (const auto now = after.producers.find(partition); now == after.producers.end() || now->second != producers)
          return fmt::format("the producers of {}, which were {} and are {}", partition, producers,
                             now == after.producers.end() ? std::map<int64_t, std::pair<int32_t, int32_t>>{} : now->second);
    return std::nullopt;
  }

  Plan plan_;
  World world_;
  Node& server_;
  Workload workload_;
  std::shared_ptr<Asked> asked_;
  std::map<std::string, Client> clients_;  // by host
  int members_gone_ = 0;
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
