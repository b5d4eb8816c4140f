// The APIs that this node serves, as a broker and as a controller. One file in handlers/ for each; one line here and one in api_handlers.cc.
#pragma once

#include "broker/request.h"
#include "protocol/api_table.h"
#include "protocol/version_range.h"
#include "runtime/task.h"
#include "security/gate.h"

namespace moldau::broker {

using protocol::ApiKey;
using security::Gate;

// Makes the request's gate and hands both to the API's handler.
using Handler = runtime::task<Reply> (*)(RequestContext&);

struct ApiHandler {
  Handler handle = nullptr;          // null: not served
  protocol::VersionRange versions;   // decoded and answered; what ApiVersions offers may begin lower (Produce)
  const char* name = nullptr;
};

// For any key, also one that Kafka does not have.
[[nodiscard]] const ApiHandler& find_handler(int16_t api_key, ListenerRole role);
// What ApiVersions offers of an API; empty where the listener lacks it.
[[nodiscard]] const protocol::VersionRange& offered_versions(const protocol::ApiInfo& api, ListenerRole role);

// A handler gets the gate of its own API; one that never asks it does not compile, for its parameter is unused.
runtime::task<Reply> handle_alter_configs(RequestContext& context, Gate<ApiKey::alter_configs> gate);
runtime::task<Reply> handle_alter_partition_reassignments(RequestContext& context, Gate<ApiKey::alter_partition_reassignments> gate);
runtime::task<Reply> handle_alter_replica_log_dirs(RequestContext& context, Gate<ApiKey::alter_replica_log_dirs> gate);
runtime::task<Reply> handle_api_versions(RequestContext& context, Gate<ApiKey::api_versions> gate);
runtime::task<Reply> handle_create_partitions(RequestContext& context, Gate<ApiKey::create_partitions> gate);
runtime::task<Reply> handle_create_topics(RequestContext& context, Gate<ApiKey::create_topics> gate);
runtime::task<Reply> handle_delete_groups(RequestContext& context, Gate<ApiKey::delete_groups> gate);
runtime::task<Reply> handle_delete_records(RequestContext& context, Gate<ApiKey::delete_records> gate);
runtime::task<Reply> handle_delete_topics(RequestContext& context, Gate<ApiKey::delete_topics> gate);
runtime::task<Reply> handle_describe_cluster(RequestContext& context, Gate<ApiKey::describe_cluster> gate);
runtime::task<Reply> handle_describe_configs(RequestContext& context, Gate<ApiKey::describe_configs> gate);
runtime::task<Reply> handle_describe_groups(RequestContext& context, Gate<ApiKey::describe_groups> gate);
runtime::task<Reply> handle_describe_log_dirs(RequestContext& context, Gate<ApiKey::describe_log_dirs> gate);
runtime::task<Reply> handle_describe_producers(RequestContext& context, Gate<ApiKey::describe_producers> gate);
runtime::task<Reply> handle_describe_quorum(RequestContext& context, Gate<ApiKey::describe_quorum> gate);
runtime::task<Reply> handle_describe_topic_partitions(RequestContext& context, Gate<ApiKey::describe_topic_partitions> gate);
runtime::task<Reply> handle_fetch(RequestContext& context, Gate<ApiKey::fetch> gate);
runtime::task<Reply> handle_find_coordinator(RequestContext& context, Gate<ApiKey::find_coordinator> gate);
runtime::task<Reply> handle_heartbeat(RequestContext& context, Gate<ApiKey::heartbeat> gate);
runtime::task<Reply> handle_incremental_alter_configs(RequestContext& context, Gate<ApiKey::incremental_alter_configs> gate);
runtime::task<Reply> handle_init_producer_id(RequestContext& context, Gate<ApiKey::init_producer_id> gate);
runtime::task<Reply> handle_join_group(RequestContext& context, Gate<ApiKey::join_group> gate);
runtime::task<Reply> handle_leave_group(RequestContext& context, Gate<ApiKey::leave_group> gate);
runtime::task<Reply> handle_list_config_resources(RequestContext& context, Gate<ApiKey::list_config_resources> gate);
runtime::task<Reply> handle_list_groups(RequestContext& context, Gate<ApiKey::list_groups> gate);
runtime::task<Reply> handle_list_offsets(RequestContext& context, Gate<ApiKey::list_offsets> gate);
runtime::task<Reply> handle_list_partition_reassignments(RequestContext& context, Gate<ApiKey::list_partition_reassignments> gate);
runtime::task<Reply> handle_metadata(RequestContext& context, Gate<ApiKey::metadata> gate);
runtime::task<Reply> handle_offset_commit(RequestContext& context, Gate<ApiKey::offset_commit> gate);
runtime::task<Reply> handle_offset_delete(RequestContext& context, Gate<ApiKey::offset_delete> gate);
runtime::task<Reply> handle_offset_fetch(RequestContext& context, Gate<ApiKey::offset_fetch> gate);
runtime::task<Reply> handle_offset_for_leader_epoch(RequestContext& context, Gate<ApiKey::offset_for_leader_epoch> gate);
runtime::task<Reply> handle_produce(RequestContext& context, Gate<ApiKey::produce> gate);
runtime::task<Reply> handle_sync_group(RequestContext& context, Gate<ApiKey::sync_group> gate);
runtime::task<Reply> handle_update_features(RequestContext& context, Gate<ApiKey::update_features> gate);

}  // namespace moldau::broker
