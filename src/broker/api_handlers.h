// The APIs that this broker serves. One file in handlers/ for each; one line here and one in api_handlers.cc.
#pragma once

#include "broker/request.h"
#include "protocol/version_range.h"
#include "runtime/task.h"

namespace moldau::broker {

using Handler = runtime::task<Reply> (*)(RequestContext&);

struct ApiHandler {
  Handler handle = nullptr;          // null: not served
  protocol::VersionRange versions;   // decoded and answered; what ApiVersions offers may begin lower (Produce)
  const char* name = nullptr;
};

// For any key, also one that Kafka does not have.
[[nodiscard]] const ApiHandler& find_handler(int16_t api_key);

runtime::task<Reply> handle_alter_configs(RequestContext& context);
runtime::task<Reply> handle_api_versions(RequestContext& context);
runtime::task<Reply> handle_create_partitions(RequestContext& context);
runtime::task<Reply> handle_create_topics(RequestContext& context);
runtime::task<Reply> handle_delete_groups(RequestContext& context);
runtime::task<Reply> handle_delete_records(RequestContext& context);
runtime::task<Reply> handle_delete_topics(RequestContext& context);
runtime::task<Reply> handle_describe_cluster(RequestContext& context);
runtime::task<Reply> handle_describe_configs(RequestContext& context);
runtime::task<Reply> handle_describe_groups(RequestContext& context);
runtime::task<Reply> handle_describe_log_dirs(RequestContext& context);
runtime::task<Reply> handle_describe_producers(RequestContext& context);
runtime::task<Reply> handle_describe_quorum(RequestContext& context);
runtime::task<Reply> handle_describe_topic_partitions(RequestContext& context);
runtime::task<Reply> handle_fetch(RequestContext& context);
runtime::task<Reply> handle_find_coordinator(RequestContext& context);
runtime::task<Reply> handle_heartbeat(RequestContext& context);
runtime::task<Reply> handle_incremental_alter_configs(RequestContext& context);
runtime::task<Reply> handle_init_producer_id(RequestContext& context);
runtime::task<Reply> handle_join_group(RequestContext& context);
runtime::task<Reply> handle_leave_group(RequestContext& context);
runtime::task<Reply> handle_list_config_resources(RequestContext& context);
runtime::task<Reply> handle_list_groups(RequestContext& context);
runtime::task<Reply> handle_list_offsets(RequestContext& context);
runtime::task<Reply> handle_metadata(RequestContext& context);
runtime::task<Reply> handle_offset_commit(RequestContext& context);
runtime::task<Reply> handle_offset_delete(RequestContext& context);
runtime::task<Reply> handle_offset_fetch(RequestContext& context);
runtime::task<Reply> handle_offset_for_leader_epoch(RequestContext& context);
runtime::task<Reply> handle_produce(RequestContext& context);
runtime::task<Reply> handle_sync_group(RequestContext& context);
runtime::task<Reply> handle_update_features(RequestContext& context);

}  // namespace moldau::broker
