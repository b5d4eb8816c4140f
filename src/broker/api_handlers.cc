#include "broker/api_handlers.h"

#include <array>

#include "broker/broker_shard.h"

namespace moldau::broker {

namespace {

struct Entry {
  ApiKey key;
  Handler handle;
};

template <ApiKey key, runtime::task<Reply> (*handle)(RequestContext&, Gate<key>)>
runtime::task<Reply> through_gate(RequestContext& context) {
  return handle(context, Gate<key>(*context.shard.authorizer, caller_of(context.connection)));
}

template <ApiKey key, runtime::task<Reply> (*handle)(RequestContext&, Gate<key>)>
constexpr Entry serve{key, through_gate<key, handle>};

constexpr Entry served[] = {
    serve<ApiKey::produce, handle_produce>,
    serve<ApiKey::fetch, handle_fetch>,
    serve<ApiKey::list_offsets, handle_list_offsets>,
    serve<ApiKey::metadata, handle_metadata>,
    serve<ApiKey::offset_commit, handle_offset_commit>,
    serve<ApiKey::offset_fetch, handle_offset_fetch>,
    serve<ApiKey::find_coordinator, handle_find_coordinator>,
    serve<ApiKey::join_group, handle_join_group>,
    serve<ApiKey::heartbeat, handle_heartbeat>,
    serve<ApiKey::leave_group, handle_leave_group>,
    serve<ApiKey::sync_group, handle_sync_group>,
    serve<ApiKey::describe_groups, handle_describe_groups>,
    serve<ApiKey::list_groups, handle_list_groups>,
    serve<ApiKey::api_versions, handle_api_versions>,
    serve<ApiKey::create_topics, handle_create_topics>,
    serve<ApiKey::delete_topics, handle_delete_topics>,
    serve<ApiKey::delete_records, handle_delete_records>,
    serve<ApiKey::init_producer_id, handle_init_producer_id>,
    serve<ApiKey::offset_for_leader_epoch, handle_offset_for_leader_epoch>,
    serve<ApiKey::describe_configs, handle_describe_configs>,
    serve<ApiKey::alter_configs, handle_alter_configs>,
    serve<ApiKey::alter_replica_log_dirs, handle_alter_replica_log_dirs>,
    serve<ApiKey::describe_log_dirs, handle_describe_log_dirs>,
    serve<ApiKey::create_partitions, handle_create_partitions>,
    serve<ApiKey::delete_groups, handle_delete_groups>,
    serve<ApiKey::incremental_alter_configs, handle_incremental_alter_configs>,
    serve<ApiKey::alter_partition_reassignments, handle_alter_partition_reassignments>,
    serve<ApiKey::list_partition_reassignments, handle_list_partition_reassignments>,
    serve<ApiKey::offset_delete, handle_offset_delete>,
    serve<ApiKey::describe_quorum, handle_describe_quorum>,
    serve<ApiKey::update_features, handle_update_features>,
    serve<ApiKey::describe_cluster, handle_describe_cluster>,
    serve<ApiKey::describe_producers, handle_describe_producers>,
    serve<ApiKey::list_config_resources, handle_list_config_resources>,
    serve<ApiKey::describe_topic_partitions, handle_describe_topic_partitions>,
};

constexpr size_t table_size = 128;

std::array<ApiHandler, table_size> make_table(ListenerRole role) {
  std::array<ApiHandler, table_size> table{};
  for (const Entry& entry : served) {
    const protocol::ApiInfo& info = protocol::api_info(entry.key);
    protocol::VersionRange versions = offered_versions(info, role);
    // A controller's Fetch reads the metadata log for other nodes of the quorum, which is another handler's work.
    if (versions.is_empty() || (role == ListenerRole::controller && entry.key == ApiKey::fetch)) continue;
    // Offered from 0 because old librdkafka derives its features from it, served from 3 as in Kafka.
    if (entry.key == ApiKey::produce) versions.min = 3;
    table[static_cast<size_t>(entry.key)] = {entry.handle, versions, info.name.data()};
  }
  return table;
}

}  // namespace

const protocol::VersionRange& offered_versions(const protocol::ApiInfo& api, ListenerRole role) {
  return role == ListenerRole::broker ? api.broker_versions : api.controller_versions;
}

const ApiHandler& find_handler(int16_t api_key, ListenerRole role) {
  static const auto of_broker = make_table(ListenerRole::broker);
  static const auto of_controller = make_table(ListenerRole::controller);
  static const ApiHandler none{};
  const auto& table = role == ListenerRole::broker ? of_broker : of_controller;
  return api_key >= 0 && static_cast<size_t>(api_key) < table_size ? table[static_cast<size_t>(api_key)] : none;
}

}  // namespace moldau::broker
