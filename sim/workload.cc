#include "workload.h"

#include "client/topics.h"

namespace moldau::sim {

using client::Cluster;
using protocol::ErrorCode;
using runtime::task;

Partition partition_name(int partition) { return fmt::format("{}-{}", topic_name, partition); }

client::TopicPartition topic_partition(int partition) { return {.topic = topic_name, .partition = partition}; }

client::ClusterOptions cluster_options(const Workload& workload) {
  client::ClusterOptions options;
  options.bootstrap = {workload.server};
  options.connection.connect_timeout_ms = 2000;
  options.connection.request_timeout_ms = 5000;
  options.retry_timeout_ms = 5000;
  return options;
}

void judge(Workload& workload, const char* what, const client::Error& error) {
  bool is_surprise = error.kind == client::Error::Kind::malformed;
  switch (error.code) {
    case ErrorCode::unknown_server_error:
    case ErrorCode::corrupt_message:
    case ErrorCode::invalid_record:
    case ErrorCode::out_of_order_sequence_number:
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::unknown_producer_id:
    case ErrorCode::invalid_request: is_surprise = true; break;
    case ErrorCode::offset_out_of_range: is_surprise = !workload.removes_records; break;
    default: break;
  }
  if (is_surprise) workload.surprises.push_back(fmt::format("{} was told at {} us: {}", what, workload.world.now_us(), error.message));
}

task<void> create_topic(runtime::Environment& environment, Workload& workload) {
  while (!workload.topic_exists) {
    Cluster cluster(environment, cluster_options(workload));
    const auto created = co_await client::create_topic(
        cluster, {.name = topic_name, .partitions = workload.partitions, .replication_factor = 1, .configs = workload.topic_configs});
    workload.topic_exists = created.has_value() || created.error().code == ErrorCode::topic_already_exists;
    co_await cluster.close();
    co_await runtime::sleep_ms(200);
  }
}

}  // namespace moldau::sim
