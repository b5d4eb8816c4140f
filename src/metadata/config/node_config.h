// What a node was told, typed: the one form in which every other folder sees the node's configuration. Plain
// data, made once at the start by load_node_config() (load_node_config.h) and handed on by const reference;
// what can change while the node runs is read from the metadata image instead (topic_config.h,
// describe_configs.h).
//
// Names and units are Kafka's: `_ms` milliseconds, `_bytes` bytes, `_s` seconds; the comment names the key
// where it differs from the field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "metadata/config/topic_config.h"

namespace moldau::metadata {

// One of `listeners` or `advertised.listeners`. The protocol is always PLAINTEXT: others stop the start.
struct ListenerEndpoint {
  std::string name;   // upper case
  std::string host;   // empty: every address (as bound), never in an advertised one
  uint16_t port = 0;  // 0: any free port (bound), or the port that was bound (advertised)
  friend bool operator==(const ListenerEndpoint&, const ListenerEndpoint&) = default;
};

struct QuorumVoter {
  NodeId id;
  std::string host;
  uint16_t port = 0;
  friend bool operator==(const QuorumVoter&, const QuorumVoter&) = default;
};

struct NetworkConfig {
  std::vector<ListenerEndpoint> listeners;             // the broker's
  std::vector<ListenerEndpoint> controller_listeners;  // empty: a quorum of one needs none
  std::vector<ListenerEndpoint> advertised_listeners;  // the broker's; hosts are never empty
  std::string inter_broker_listener_name = "PLAINTEXT";
  int32_t socket_send_buffer_bytes = 102400;     // -1: the system's
  int32_t socket_receive_buffer_bytes = 102400;  // -1: the system's
  int32_t socket_listen_backlog_size = 50;
  int32_t socket_request_max_bytes = 104857600;
  int64_t queued_max_request_bytes = -1;  // -1: no limit
  int32_t queued_max_requests = 500;
  int32_t max_connections = INT32_MAX;
  int32_t max_connections_per_ip = INT32_MAX;
  std::vector<std::pair<std::string, int32_t>> max_connections_per_ip_overrides;
  int32_t max_connection_creation_rate = INT32_MAX;  // a second
  int64_t connections_max_idle_ms = 600000;          // <= 0: never closed
  int32_t request_timeout_ms = 30000;
  int32_t max_request_partition_size_limit = 2000;
};

struct LogDirsConfig {
  std::vector<std::string> log_dirs;
  std::string metadata_log_dir;  // metadata.log.dir, or the first of log_dirs
  int32_t num_recovery_threads_per_data_dir = 2;
  int64_t log_retention_check_interval_ms = 300000;
  int64_t log_flush_scheduler_interval_ms = INT64_MAX;
  int32_t log_flush_offset_checkpoint_interval_ms = 60000;
  int32_t log_flush_start_offset_checkpoint_interval_ms = 60000;
  int64_t log_dir_failure_timeout_ms = 30000;
  int64_t log_initial_task_delay_ms = 30000;
  bool log_cleaner_enable = true;
  int32_t producer_id_expiration_ms = 86400000;
  int32_t producer_id_expiration_check_interval_ms = 600000;
};

struct TopicsConfig {
  bool auto_create_topics_enable = true;
  bool delete_topic_enable = true;
  int32_t num_partitions = 1;
  int16_t default_replication_factor = 1;
};

struct FetchConfig {
  int32_t fetch_max_bytes = 57671680;
  int32_t max_incremental_fetch_session_cache_slots = 1000;
};

struct QuorumConfig {
  std::vector<QuorumVoter> voters;             // controller.quorum.voters; this node at least
  std::vector<std::string> bootstrap_servers;  // controller.quorum.bootstrap.servers
  std::vector<std::string> controller_listener_names;
  int32_t election_timeout_ms = 1000;
  int32_t fetch_timeout_ms = 2000;
  int32_t election_backoff_max_ms = 1000;
  int32_t append_linger_ms = 25;
  int32_t request_timeout_ms = 2000;
  int32_t retry_backoff_ms = 20;
  int32_t metadata_log_segment_bytes = 1073741824;
  int64_t metadata_log_segment_ms = 604800000;
  int64_t metadata_max_retention_bytes = 104857600;
  int64_t metadata_max_retention_ms = 604800000;
  int64_t metadata_log_max_record_bytes_between_snapshots = 20971520;
  int64_t metadata_log_max_snapshot_interval_ms = 3600000;
  int32_t metadata_max_idle_interval_ms = 500;  // 0: no idle records
  int32_t broker_heartbeat_interval_ms = 2000;
  int32_t broker_session_timeout_ms = 9000;
  int32_t initial_broker_registration_timeout_ms = 60000;
};

struct GroupsConfig {
  int32_t group_initial_rebalance_delay_ms = 3000;
  int32_t group_min_session_timeout_ms = 6000;
  int32_t group_max_session_timeout_ms = 1800000;
  int32_t group_max_size = INT32_MAX;
  int32_t offset_metadata_max_bytes = 4096;
  int32_t offsets_commit_timeout_ms = 5000;
  int64_t offsets_retention_ms = 604800000;  // offsets.retention.minutes
  int64_t offsets_retention_check_interval_ms = 600000;
  int32_t offsets_topic_num_partitions = 50;
  int16_t offsets_topic_replication_factor = 1;  // without a file: 1; with one: Kafka's 3, unless it says so
  int32_t offsets_topic_segment_bytes = 104857600;
  int32_t offsets_topic_compression_codec = 0;  // 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd
  int32_t offsets_load_buffer_size_bytes = 5242880;
};

struct TransactionsConfig {
  int32_t transaction_max_timeout_ms = 900000;
  int32_t transactional_id_expiration_ms = 604800000;
  int32_t transaction_state_log_num_partitions = 50;
  int16_t transaction_state_log_replication_factor = 1;  // as offsets_topic_replication_factor
  int32_t transaction_state_log_min_isr = 1;             // likewise
  int32_t transaction_state_log_segment_bytes = 104857600;
  int32_t transaction_abort_timed_out_cleanup_interval_ms = 10000;
  bool transaction_partition_verification_enable = true;
};

// Moldau's own keys.
struct OwnConfig {
  std::string http_host = "127.0.0.1";
  std::optional<uint16_t> http_port = 9644;  // nullopt: off
  std::optional<int32_t> shards;             // nullopt: one a core
  int32_t connections_max = 20'000;
  int64_t request_memory_bytes = 512LL << 20;
  int64_t request_receive_timeout_ms = 30'000;  // 0: none
};

struct NodeConfig {
  NodeId node_id{1};
  std::optional<std::string> rack;  // broker.rack
  NetworkConfig network;
  LogDirsConfig logs;
  TopicsConfig topics;
  TopicConfig topic_defaults;  // what a topic without an override gets, from the static keys alone
  FetchConfig fetch;
  QuorumConfig quorum;
  GroupsConfig groups;
  TransactionsConfig transactions;
  OwnConfig own;
  bool unstable_api_versions_enable = false;
};

}  // namespace moldau::metadata
