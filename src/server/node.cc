#include "server/node.h"

#include "base/log.h"
#include "base/mutant.h"
#include "broker/cleaner.h"
#include "broker/cordoned_directories.h"
#include "broker/directory_assignments.h"
#include "broker/directory_failures.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/group_host.h"
#include "broker/partition.h"
#include "broker/quorum_host.h"
#include "broker/replica_mover.h"
#include "broker/scrubber.h"
#include "metadata/config/broker_layers.h"
#include "metadata/finalized_levels.h"
#include "raft/format.h"
#include "raft/snapshot_file.h"
#include "server/controller_options.h"

namespace moldau::server {

using runtime::task;
using Outcome = result<void, std::string>;

static constexpr int max_heartbeats = 100;

Node::Node(runtime::Environment& environment, metadata::LoadedConfig config)
    : environment_(environment), config_(std::move(config)), broker_(environment, config_) {}

Node::~Node() = default;

task<Outcome> Node::start() {
  started_ = true;
  MOLDAU_CO_TRY(broker_.directories, co_await broker::DirectorySet::open(environment_, config_.node));
  broker_.cluster_id = broker_.directories->cluster_id();
  broker_.directory_failures->attach();
  clock_watch_ = std::make_unique<broker::ClockWatch>(environment_, broker_.clock, broker_.directories->metadata_directory().path());
  co_await clock_watch_->start();
  MOLDAU_CO_CHECK(co_await runtime::call_on(broker_.quorum_shard(), [this] { return open_metadata(); }));
  MOLDAU_CO_CHECK(bind());
  MOLDAU_CO_CHECK(co_await register_controller());
  MOLDAU_CO_CHECK(co_await register_broker());
  co_await runtime::call_on(broker_.quorum_shard(), [this] { return broker_.quorum->publish_to_shards(); });
  co_await broker_.directories->finish_loading();
  logs_are_open_ = true;
  MOLDAU_CO_CHECK(co_await unfence());
  maintenance_ = std::make_unique<broker::Maintenance>(broker_, *clock_watch_);
  co_await maintenance_->start();
  co_await broker_.cleaner->start();
  co_await broker_.scrubber->start();
  co_await broker_.mover->start();
  co_await broker_.directory_failures->watch();
  serve_connections();
  broker_.ready = true;
  co_return Outcome{};
}

task<Outcome> Node::open_metadata() {
  broker::LogDir& directory = broker_.directories->metadata_directory();
  const std::string path = directory.path() + "/" + std::string(raft::metadata_partition_directory);
  broker::QuorumHostOptions quorum;
  storage::LogOptions& options = quorum.log;
  options.environment = &environment_;
  options.health = directory.files->health();
  options.directory = path;
  options.topic = "__cluster_metadata";
  options.topic_id = metadata_topic_id;
  options.config.segment_bytes = static_cast<uint32_t>(config_.node.quorum.metadata_log_segment_bytes);
  options.config.segment_ms = config_.node.quorum.metadata_log_segment_ms;
  options.config.retention_ms = -1;
  options.config.max_message_bytes = INT32_MAX;
  options.had_failed_flush = directory.files->had_failed_flush();

  quorum.quorum = quorum_options(config_.node, directory.id);
  quorum.controller = controller_options(environment_, config_, broker_.cluster_id);
  MOLDAU_CO_TRY(quorum.bootstrap, co_await read_bootstrap_records(environment_.files(), directory.path()));
  const metadata::FeatureLevels of_bootstrap = metadata::finalized_by(quorum.bootstrap);
  MOLDAU_CO_TRY(broker_.quorum, co_await broker::QuorumHost::open(broker_, std::move(quorum)));
  const metadata::FeatureLevels& of_log = broker_.quorum->image()->features;
  // A log begins with the features: without them it holds nothing, and a new one would make every partition a stranger.
  if (const std::string partition = broker_.directories->any_partition_found(); of_log.empty() && !partition.empty())
    co_return fail(fmt::format("the metadata log in {} holds nothing, but there is {}: put the metadata log back from a copy, or "
                               "move the partitions away to begin anew",
                               path, partition));
  if (const auto unsupported = metadata::unsupported_features(of_log.empty() ? of_bootstrap : of_log)) co_return fail(*unsupported);
  const int32_t epoch_found = broker_.quorum->quorum().epoch().value();
  MOLDAU_CO_CHECK(co_await broker_.quorum->lead());
  const int32_t epoch = broker_.quorum->quorum().epoch().value();
  const auto begun = co_await broker_.directories->begin_run(epoch_found, epoch);
  if (!begun) co_return fail(begun.error().message);
  co_return Outcome{};
}

Outcome Node::bind() {
  const metadata::NetworkConfig& network = config_.node.network;
  MetricRegistry& metrics = broker_.first_shard().metrics;
  acceptor_ = std::make_unique<Acceptor>(environment_, network.listeners, network, metrics);
  controller_acceptor_ = std::make_unique<Acceptor>(environment_, network.controller_listeners, network, metrics);
  set_connection_limits(config_.given);
  // Connections may come before the node serves: they are handed over once it does.
  const Acceptor::Serve serve = [this](std::unique_ptr<runtime::Connection> connection, const std::string& listener_name) {
    // On any shard: `ready` is what says that shard 0 has made the sessions, so it is asked first.
    if (broker_.ready)
      sessions_[static_cast<size_t>(runtime::Shard::current().index())]->serve(std::move(connection), listener_name);
    else
      connection->close();
  };
  MOLDAU_CHECK(acceptor_->bind(serve));
  MOLDAU_CHECK(controller_acceptor_->bind(serve));
  broker_.advertised_listeners = network.advertised_listeners;
  const std::vector<runtime::Address> bound = acceptor_->addresses();
  for (metadata::ListenerEndpoint& advertised : broker_.advertised_listeners) {
    if (advertised.port != 0) continue;
    for (size_t i = 0; i < network.listeners.size(); ++i)
      if (network.listeners[i].name == advertised.name) advertised.port = bound[i].port;
  }
  broker_.on_broker_configs = [this](const metadata::MetadataImage& image) {
    const metadata::BrokerLayers layers = metadata::broker_layers(config_.given, image, config_.node.node_id.value());
    set_connection_limits(layers.effective);
    broker_.clock.set_bound_ms(metadata::node_integer(layers.effective, "moldau.retention.clock.jump.max.ms"));
    broker::take_cordoned(broker_, image, layers.effective);
  };
  return {};
}

void Node::set_connection_limits(const metadata::ConfigMap& effective) {
  acceptor_->set_limits(connection_limits(effective, config_.node.network.listeners, config_.node));
  controller_acceptor_->set_limits(connection_limits(effective, config_.node.network.controller_listeners, config_.node));
}

// Of the shards' longest silent clients one goes; the first shard that has one gives it.
task<void> Node::close_a_clients_connection() {
  for (const auto& sessions : sessions_) {
    runtime::Shard& shard = broker_.shards[static_cast<size_t>(&sessions - sessions_.data())]->shard;
    const bool closed = co_await runtime::call_on(shard, [&sessions] { return runtime::ready(sessions->close_one()); });
    if (closed) co_return;
  }
}

task<Outcome> Node::register_broker() {
  const protocol::BrokerRegistrationRequest request = broker_registration(environment_, config_.node, broker_);
  const auto response = co_await broker_.quorum->handle(security::Authorized::as_node(), request, protocol::BrokerRegistrationRequest::valid_versions.max);
  if (response.error_code != 0)
    co_return fail(fmt::format("the broker cannot register: {}", protocol::error_message(static_cast<protocol::ErrorCode>(response.error_code))));
  broker_epoch_ = response.broker_epoch;
  co_return Outcome{};
}

// What other nodes and tools learn of this controller: where it listens and which features it has (KIP-919).
task<Outcome> Node::register_controller() {
  const protocol::ControllerRegistrationRequest request = controller_registration(environment_, config_.node);
  const auto response = co_await broker_.quorum->handle(security::Authorized::as_node(), request, protocol::ControllerRegistrationRequest::valid_versions.max);
  const auto error = static_cast<protocol::ErrorCode>(response.error_code);
  // Older metadata versions know no such record.
  if (error == protocol::ErrorCode::none || error == protocol::ErrorCode::unsupported_version) co_return Outcome{};
  co_return fail(fmt::format("the controller cannot register: {}", response.error_message.value_or(std::string(protocol::error_message(error)))));
}

task<Outcome> Node::unfence() {
  for (int i = 0; i < max_heartbeats; ++i) {
    protocol::BrokerHeartbeatRequest heartbeat;
    heartbeat.broker_id = config_.node.node_id.value();
    heartbeat.broker_epoch = broker_epoch_;
    heartbeat.current_metadata_offset = broker_.first_shard().image->offset.value();
    heartbeat.want_fence = false;
    heartbeat.cordoned_log_dirs = broker::cordoned_to_tell(broker_);
    const auto response = co_await broker_.quorum->handle(security::Authorized::as_node(), heartbeat, protocol::BrokerHeartbeatRequest::valid_versions.max);
    if (response.error_code != 0)
      co_return fail(fmt::format("the broker cannot be unfenced: {}", protocol::error_message(static_cast<protocol::ErrorCode>(response.error_code))));
    if (!response.is_fenced) co_return Outcome{};
    co_await runtime::sleep_ms(1);
  }
  co_return fail(std::string("the controller keeps the broker fenced"));
}

void Node::serve_connections() {
  const metadata::NetworkConfig& network = config_.node.network;
  const SessionLimits limits{.max_frame_bytes = static_cast<uint32_t>(network.socket_request_max_bytes),
                             .idle_ms = network.connections_max_idle_ms,
                             .receive_timeout_ms = config_.node.own.request_receive_timeout_ms};
  const int64_t memory_bytes = network.queued_max_request_bytes > 0 ? network.queued_max_request_bytes : config_.node.own.request_memory_bytes;
  const auto memory_of_shard = static_cast<size_t>(memory_bytes) / broker_.shards.size();
  // A listener that brokers share with clients has nothing to reserve.
  const std::string reserved = network.listeners.size() > 1 ? network.inter_broker_listener_name : std::string();
  for (const auto& shard : broker_.shards)
    sessions_.push_back(std::make_unique<ShardSessions>(broker_, *shard, limits, memory_of_shard, reserved));
  acceptor_->on_excess([this] { broker_.background.spawn(close_a_clients_connection()); });
}

// A controlled shutdown: the controller takes the leaderships away, so that clients look again.
task<void> Node::leave_cluster() {
  if (!broker_.quorum || broker_epoch_ < 0) co_return;
  for (int i = 0; i < max_heartbeats; ++i) {
    protocol::BrokerHeartbeatRequest heartbeat;
    heartbeat.broker_id = config_.node.node_id.value();
    heartbeat.broker_epoch = broker_epoch_;
    if (const auto& image = broker_.first_shard().image) heartbeat.current_metadata_offset = image->offset.value();
    heartbeat.want_shut_down = true;
    const auto response = co_await broker_.quorum->handle(security::Authorized::as_node(), heartbeat, protocol::BrokerHeartbeatRequest::valid_versions.max);
    if (response.error_code != 0 || response.should_shut_down) co_return;
  }
}

task<void> Node::close_logs() {
  co_await broker::gather_all(broker_, [](broker::BrokerShard& shard) -> task<void> {
    return [](broker::BrokerShard& at) -> task<void> {
      for (auto& [directory, commits] : at.commits) co_await commits.stop();
      for (const auto& [key, partition] : at.partitions) {
        storage::Log& log = partition->log();
        if (log.is_offline()) {
          co_await log.abandon();
          continue;
        }
        if (const auto flushed = co_await log.flush(); !flushed) log_error("{}", flushed.error().message);
      }
      for (const auto& move : at.broker.mover->of(at).moves()) {
        if (move.future->is_offline()) continue;
        if (const auto flushed = co_await move.future->flush(); !flushed) log_error("{}", flushed.error().message);
      }
    }(shard);
  });
  co_await broker_.directories->checkpoint_recovery_points(broker_);
  co_await broker_.directories->checkpoint_high_watermarks(broker_);
  co_await broker::gather_all(broker_, [](broker::BrokerShard& shard) -> task<void> {
    return [](broker::BrokerShard& at) -> task<void> {
      for (const auto& [key, partition] : at.partitions) {
        if (partition->log().is_offline()) continue;
        if (const auto closed = co_await partition->log().close(); !closed) log_error("{}", closed.error().message);
      }
      co_await at.broker.mover->of(at).close_copies();
      at.partitions.clear();
    }(shard);
  });
}

task<void> Node::stop() {
  if (!started_) co_return;
  broker_.ready = false;
  if (acceptor_) acceptor_->close();
  if (controller_acceptor_) controller_acceptor_->close();
  broker_.directory_failures->stop();
  co_await broker_.mover->stop();
  broker_.assignments->stop();
  co_await broker_.cleaner->stop();
  co_await broker_.scrubber->stop();
  if (maintenance_) co_await maintenance_->stop();
  co_await leave_cluster();
  // Groups first: requests that wait for a rebalance end with them.
  co_await broker::gather_all(broker_, [](broker::BrokerShard& shard) -> task<void> {
    return [](broker::BrokerShard& at) -> task<void> {
      auto hosts = std::move(at.groups);
      at.groups.clear();
      for (const auto& [partition, host] : hosts) co_await host->stop();
    }(shard);
  });
  if (!sessions_.empty())
    co_await broker::gather_all(broker_, [this](broker::BrokerShard& shard) {
      return sessions_[static_cast<size_t>(shard.shard.index())]->stop();
    });
  co_await broker_.background.join();
  if (!broker_.directories || !broker_.quorum) co_return;
  // A start that failed before it had read the logs says nothing of how they are: the next one looks.
  const bool says_how_they_are = logs_are_open_ || MOLDAU_MUTANT("clean-stop-after-failed-start");
  if (says_how_they_are) co_await close_logs();
  co_await runtime::call_on(broker_.quorum_shard(), [this] { return broker_.quorum->stop(); });
  if (!says_how_they_are) co_return;
  if (!broker_.directories->metadata_directory().files->is_offline()) co_await clock_watch_->write();
  co_await broker_.directories->mark_clean_shutdown(broker_epoch_);
}

}  // namespace moldau::server
