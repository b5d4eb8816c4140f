#include "server/controller_options.h"

#include "broker/directory_set.h"
#include "controller/local_node.h"
#include "raft/format.h"
#include "raft/snapshot_file.h"

namespace moldau::server {

using runtime::task;

// Where every interface is listened to, this machine's own name for itself is as good as any.
static std::string reachable_host(const metadata::ListenerEndpoint& listener) {
  return listener.host.empty() ? "localhost" : listener.host;
}

raft::QuorumOptions quorum_options(const metadata::NodeConfig& config, const Uuid& directory_id) {
  raft::QuorumOptions options;
  options.node_id = config.node_id.value();
  options.directory_id = directory_id;
  for (const metadata::ListenerEndpoint& listener : config.network.controller_listeners)
    options.endpoints.push_back({listener.name, reachable_host(listener), listener.port});
  for (const metadata::QuorumVoter& voter : config.quorum.voters) options.static_voters.push_back(voter.id.value());
  options.max_bytes_between_snapshots = config.quorum.metadata_log_max_record_bytes_between_snapshots;
  options.max_snapshot_interval_ms = config.quorum.metadata_log_max_snapshot_interval_ms;
  return options;
}

controller::ControllerOptions controller_options(runtime::Environment& environment, const metadata::LoadedConfig& config,
                                                 const std::string& cluster_id) {
  const metadata::NodeConfig& node = config.node;
  controller::ControllerOptions options;
  options.node_id = node.node_id.value();
  options.cluster_id = cluster_id;
  options.default_num_partitions = node.topics.num_partitions;
  options.default_replication_factor = node.topics.default_replication_factor;
  options.delete_topic_enable = node.topics.delete_topic_enable;
  options.default_min_insync_replicas = node.topic_defaults.min_insync_replicas;
  options.default_unclean_leader_election_enable = node.topic_defaults.unclean_leader_election_enable;
  options.broker_session_timeout_ms = node.quorum.broker_session_timeout_ms;
  options.config = {.node_id = node.node_id.value(), .fixed = &config.given};
  options.random_uuid = [&environment] { return runtime::random_uuid(environment); };
  options.random = [&environment] { return environment.random(); };
  return options;
}

task<result<metadata::MetadataRecords, std::string>> read_bootstrap_records(runtime::FileSystem& files,
                                                                            const std::string& directory) {
  const std::string path = directory + "/" + std::string(raft::bootstrap_file_name);
  const auto bytes = co_await runtime::read_file(files, path);
  if (!bytes && bytes.error().error_number == ENOENT) co_return metadata::MetadataRecords{};
  if (!bytes) co_return fail(bytes.error().message());
  const auto snapshot = raft::read_snapshot(*bytes);
  if (!snapshot) co_return fail(fmt::format("{}: {}", path, snapshot.error()));
  metadata::MetadataRecords records;
  for (const Bytes& value : snapshot->records) {
    MOLDAU_CO_TRY(metadata::MetadataRecord record, metadata::decode_record(value));
    records.push_back(std::move(record));
  }
  co_return records;
}

protocol::ControllerRegistrationRequest controller_registration(runtime::Environment& environment,
                                                                const metadata::NodeConfig& config) {
  controller::LocalNode node;
  node.node_id = config.node_id.value();
  node.incarnation_id = runtime::random_uuid(environment);
  for (const metadata::ListenerEndpoint& listener : config.network.controller_listeners)
    node.endpoints.push_back({.name = listener.name, .host = reachable_host(listener), .port = listener.port});
  return controller::controller_registration(node);
}

protocol::BrokerRegistrationRequest broker_registration(runtime::Environment& environment, const metadata::NodeConfig& config,
                                                        const broker::Broker& broker) {
  controller::LocalNode node;
  node.node_id = config.node_id.value();
  node.cluster_id = broker.cluster_id;
  node.incarnation_id = runtime::random_uuid(environment);
  for (const metadata::ListenerEndpoint& advertised : broker.advertised_listeners)
    node.endpoints.push_back({.name = advertised.name, .host = advertised.host, .port = advertised.port});
  node.rack = config.rack;
  for (const auto& directory : broker.directories->directories())
    if (!directory->is_offline()) node.log_dirs.push_back(directory->id);
  return controller::broker_registration(node, broker.directories->previous_broker_epoch());
}

}  // namespace moldau::server
