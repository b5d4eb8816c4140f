#include "metadata/config/fill_node_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>

#include "metadata/config/host_port.h"
#include "metadata/config/ip_overrides.h"
#include "metadata/config/node_config_rules.h"
#include "metadata/config/topic_defaults.h"

namespace moldau::metadata {
namespace {

// Reads keys into fields; the field's type says how many bits count.
struct Reader {
  const ConfigMap& given;

  template <std::integral Number>
  void operator()(std::string_view key, Number& field) const {
    if constexpr (std::same_as<Number, bool>)
      field = node_boolean(given, key);
    else
      field = static_cast<Number>(node_integer(given, key));
  }
};

void fill_network(const Reader& read, NetworkConfig& network, std::vector<std::string>& problems) {
  read("socket.send.buffer.bytes", network.socket_send_buffer_bytes);
  read("socket.receive.buffer.bytes", network.socket_receive_buffer_bytes);
  read("socket.listen.backlog.size", network.socket_listen_backlog_size);
  read("socket.request.max.bytes", network.socket_request_max_bytes);
  read("queued.max.request.bytes", network.queued_max_request_bytes);
  read("queued.max.requests", network.queued_max_requests);
  read("max.connections", network.max_connections);
  read("max.connections.per.ip", network.max_connections_per_ip);
  read("max.connection.creation.rate", network.max_connection_creation_rate);
  read("connections.max.idle.ms", network.connections_max_idle_ms);
  read("request.timeout.ms", network.request_timeout_ms);
  read("max.request.partition.size.limit", network.max_request_partition_size_limit);
  // Any number is a valid value to Kafka, which then fails when it binds.
  for (const std::string_view key : {"socket.send.buffer.bytes", "socket.receive.buffer.bytes"})
    if (const int64_t size_bytes = node_integer(read.given, key); size_bytes < 1 && size_bytes != -1)
      problems.push_back(fmt::format("{}: {} is no size of a buffer; give at least 1, or -1 for the system's own", key, size_bytes));
  network.max_connections_per_ip_overrides = parse_ip_overrides(node_text(read.given, "max.connections.per.ip.overrides"));
}

// The list itself comes without repeats, as Kafka takes it; here somebody meant another disk.
void refuse_repeats(const ConfigMap& given, std::string_view key, std::vector<std::string>& problems) {
  const auto* text = find_given(given, key);
  if (!text) return;
  auto entries = split_list(*text);
  std::ranges::sort(entries);
  const auto again = std::ranges::adjacent_find(entries);
  if (again != entries.end()) problems.push_back(fmt::format("{} names {} twice: name every directory once", key, *again));
}

void fill_logs(const Reader& read, LogDirsConfig& logs, std::vector<std::string>& problems) {
  const std::string_view key = find_given(read.given, "log.dirs") ? "log.dirs" : "log.dir";
  logs.log_dirs = named_log_dirs(read.given);
  refuse_repeats(read.given, key, problems);
  if (logs.log_dirs.empty()) problems.push_back("log.dirs: at least one directory must be named");
  logs.metadata_log_dir = node_text(read.given, "metadata.log.dir");
  if (logs.metadata_log_dir.empty() && !logs.log_dirs.empty()) logs.metadata_log_dir = logs.log_dirs.front();
  read("num.recovery.threads.per.data.dir", logs.num_recovery_threads_per_data_dir);
  read("log.retention.check.interval.ms", logs.log_retention_check_interval_ms);
  read("log.flush.scheduler.interval.ms", logs.log_flush_scheduler_interval_ms);
  read("log.flush.offset.checkpoint.interval.ms", logs.log_flush_offset_checkpoint_interval_ms);
  read("log.flush.start.offset.checkpoint.interval.ms", logs.log_flush_start_offset_checkpoint_interval_ms);
  read("log.dir.failure.timeout.ms", logs.log_dir_failure_timeout_ms);
  read("log.initial.task.delay.ms", logs.log_initial_task_delay_ms);
  read("log.cleaner.enable", logs.log_cleaner_enable);
  read("producer.id.expiration.ms", logs.producer_id_expiration_ms);
  read("producer.id.expiration.check.interval.ms", logs.producer_id_expiration_check_interval_ms);
}

void fill_quorum(const Reader& read, NodeConfig& node, std::vector<std::string>& problems) {
  auto& quorum = node.quorum;
  for (const auto& text : node_list(read.given, "controller.quorum.voters")) {
    if (auto voter = parse_voter(text))
      quorum.voters.push_back({NodeId(voter->id), std::move(voter->address.host), voter->address.port});
  }
  if (!quorum.voters.empty() &&
      std::ranges::find(quorum.voters, node.node_id, &QuorumVoter::id) == quorum.voters.end())
    problems.push_back(fmt::format(
        "controller.quorum.voters: node {} is a controller and must be among the voters", node.node_id));
  if (quorum.voters.size() > 1)
    problems.push_back(
        fmt::format("controller.quorum.voters: a quorum of more than this node is not built yet; leave "
                    "only the entry of node {}",
                    node.node_id));
  if (quorum.voters.empty()) quorum.voters.push_back({node.node_id, "", 0});
  quorum.bootstrap_servers = node_list(read.given, "controller.quorum.bootstrap.servers");
  quorum.controller_listener_names = node_list(read.given, "controller.listener.names");
  read("controller.quorum.election.timeout.ms", quorum.election_timeout_ms);
  read("controller.quorum.fetch.timeout.ms", quorum.fetch_timeout_ms);
  read("controller.quorum.election.backoff.max.ms", quorum.election_backoff_max_ms);
  read("controller.quorum.append.linger.ms", quorum.append_linger_ms);
  read("controller.quorum.request.timeout.ms", quorum.request_timeout_ms);
  read("controller.quorum.retry.backoff.ms", quorum.retry_backoff_ms);
  read("metadata.log.segment.bytes", quorum.metadata_log_segment_bytes);
  read("metadata.log.segment.ms", quorum.metadata_log_segment_ms);
  read("metadata.max.retention.bytes", quorum.metadata_max_retention_bytes);
  read("metadata.max.retention.ms", quorum.metadata_max_retention_ms);
  read("metadata.log.max.record.bytes.between.snapshots",
       quorum.metadata_log_max_record_bytes_between_snapshots);
  read("metadata.log.max.snapshot.interval.ms", quorum.metadata_log_max_snapshot_interval_ms);
  read("metadata.max.idle.interval.ms", quorum.metadata_max_idle_interval_ms);
  read("broker.heartbeat.interval.ms", quorum.broker_heartbeat_interval_ms);
  read("broker.session.timeout.ms", quorum.broker_session_timeout_ms);
  read("initial.broker.registration.timeout.ms", quorum.initial_broker_registration_timeout_ms);
}

void fill_groups(const Reader& read, GroupsConfig& groups) {
  read("group.initial.rebalance.delay.ms", groups.group_initial_rebalance_delay_ms);
  read("group.min.session.timeout.ms", groups.group_min_session_timeout_ms);
  read("group.max.session.timeout.ms", groups.group_max_session_timeout_ms);
  read("group.max.size", groups.group_max_size);
  read("offset.metadata.max.bytes", groups.offset_metadata_max_bytes);
  read("offsets.commit.timeout.ms", groups.offsets_commit_timeout_ms);
  groups.offsets_retention_ms = node_integer(read.given, "offsets.retention.minutes") * 60 * 1000;
  read("offsets.retention.check.interval.ms", groups.offsets_retention_check_interval_ms);
  read("offsets.topic.num.partitions", groups.offsets_topic_num_partitions);
  read("offsets.topic.replication.factor", groups.offsets_topic_replication_factor);
  read("offsets.topic.segment.bytes", groups.offsets_topic_segment_bytes);
  read("offsets.topic.compression.codec", groups.offsets_topic_compression_codec);
  read("offsets.load.buffer.size", groups.offsets_load_buffer_size_bytes);
}

void fill_transactions(const Reader& read, TransactionsConfig& transactions) {
  read("transaction.max.timeout.ms", transactions.transaction_max_timeout_ms);
  read("transactional.id.expiration.ms", transactions.transactional_id_expiration_ms);
  read("transaction.state.log.num.partitions", transactions.transaction_state_log_num_partitions);
  read("transaction.state.log.replication.factor", transactions.transaction_state_log_replication_factor);
  read("transaction.state.log.min.isr", transactions.transaction_state_log_min_isr);
  read("transaction.state.log.segment.bytes", transactions.transaction_state_log_segment_bytes);
  read("transaction.abort.timed.out.transaction.cleanup.interval.ms",
       transactions.transaction_abort_timed_out_cleanup_interval_ms);
  read("transaction.partition.verification.enable", transactions.transaction_partition_verification_enable);
}

void fill_own(const Reader& read, OwnConfig& own, std::vector<std::string>& problems) {
  const auto listener = node_text(read.given, "moldau.http.listener");
  if (listener.empty()) {
    own.http_port.reset();
  } else if (auto address = parse_host_port(listener)) {
    own.http_host = std::move(address->host);
    own.http_port = address->port;
  } else {
    problems.push_back(
        fmt::format("moldau.http.listener: {} is not of the form HOST:PORT; empty turns it off", listener));
  }
  read("moldau.connections.max", own.connections_max);
  read("moldau.request.memory.bytes", own.request_memory_bytes);
  read("moldau.request.receive.timeout.ms", own.request_receive_timeout_ms);
  if (find_given(read.given, "moldau.shards"))
    own.shards = static_cast<int32_t>(node_integer(read.given, "moldau.shards"));
}

}  // namespace

void fill_node_config(const ConfigMap& given, NodeConfig& node, std::vector<std::string>& problems) {
  const Reader read{given};
  node.node_id = NodeId(static_cast<int32_t>(node_integer(given, "node.id")));
  if (auto rack = node_text(given, "broker.rack"); !rack.empty()) node.rack = std::move(rack);
  fill_network(read, node.network, problems);
  fill_logs(read, node.logs, problems);
  read("auto.create.topics.enable", node.topics.auto_create_topics_enable);
  read("delete.topic.enable", node.topics.delete_topic_enable);
  read("num.partitions", node.topics.num_partitions);
  read("default.replication.factor", node.topics.default_replication_factor);
  node.topic_defaults = topic_defaults(given);
  read("fetch.max.bytes", node.fetch.fetch_max_bytes);
  read("max.incremental.fetch.session.cache.slots", node.fetch.max_incremental_fetch_session_cache_slots);
  fill_quorum(read, node, problems);
  fill_groups(read, node.groups);
  fill_transactions(read, node.transactions);
  fill_own(read, node.own, problems);
  read("unstable.api.versions.enable", node.unstable_api_versions_enable);
}

}  // namespace moldau::metadata
