#include "broker/api_handlers.h"

#include <array>

#include "protocol/api_table.h"

namespace moldau::broker {

using protocol::ApiKey;

namespace {

struct Entry {
  ApiKey key;
  Handler handle;
};

constexpr Entry served[] = {
    {ApiKey::produce, handle_produce},
    {ApiKey::fetch, handle_fetch},
    {ApiKey::list_offsets, handle_list_offsets},
    {ApiKey::metadata, handle_metadata},
    {ApiKey::offset_commit, handle_offset_commit},
    {ApiKey::offset_fetch, handle_offset_fetch},
    {ApiKey::find_coordinator, handle_find_coordinator},
    {ApiKey::join_group, handle_join_group},
    {ApiKey::heartbeat, handle_heartbeat},
    {ApiKey::leave_group, handle_leave_group},
    {ApiKey::sync_group, handle_sync_group},
    {ApiKey::describe_groups, handle_describe_groups},
    {ApiKey::list_groups, handle_list_groups},
    {ApiKey::api_versions, handle_api_versions},
    {ApiKey::create_topics, handle_create_topics},
    {ApiKey::delete_topics, handle_delete_topics},
    {ApiKey::delete_records, handle_delete_records},
    {ApiKey::init_producer_id, handle_init_producer_id},
    {ApiKey::offset_for_leader_epoch, handle_offset_for_leader_epoch},
    {ApiKey::describe_configs, handle_describe_configs},
    {ApiKey::alter_configs, handle_alter_configs},
    {ApiKey::describe_log_dirs, handle_describe_log_dirs},
    {ApiKey::create_partitions, handle_create_partitions},
    {ApiKey::delete_groups, handle_delete_groups},
    {ApiKey::incremental_alter_configs, handle_incremental_alter_configs},
    {ApiKey::offset_delete, handle_offset_delete},
    {ApiKey::describe_quorum, handle_describe_quorum},
    {ApiKey::update_features, handle_update_features},
    {ApiKey::describe_cluster, handle_describe_cluster},
    {ApiKey::describe_producers, handle_describe_producers},
    {ApiKey::list_config_resources, handle_list_config_resources},
    {ApiKey::describe_topic_partitions, handle_describe_topic_partitions},
};

constexpr size_t table_size = 128;

std::array<ApiHandler, table_size> make_table() {
  std::array<ApiHandler, table_size> table{};
  for (const Entry& entry : served) {
    const protocol::ApiInfo& info = protocol::api_info(entry.key);
    protocol::VersionRange versions = info.broker_versions;
    // Offered from 0 because old librdkafka derives its features from it, served from 3 as in Kafka.
    if (entry.key == ApiKey::produce) versions.min = 3;
    table[static_cast<size_t>(entry.key)] = {entry.handle, versions, info.name.data()};
  }
  return table;
}

}  // namespace

const ApiHandler& find_handler(int16_t api_key) {
  static const auto table = make_table();
  static const ApiHandler none{};
  return api_key >= 0 && static_cast<size_t>(api_key) < table_size ? table[static_cast<size_t>(api_key)] : none;
}

}  // namespace moldau::broker
