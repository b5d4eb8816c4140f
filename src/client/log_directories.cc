#include "client/log_directories.h"

#include <fmt/format.h>

#include "protocol/messages/alter_replica_log_dirs_request.h"
#include "protocol/messages/alter_replica_log_dirs_response.h"
#include "protocol/messages/describe_log_dirs_request.h"
#include "protocol/messages/describe_log_dirs_response.h"

namespace moldau::client {

task<client_result<std::vector<LogDirectoryMetadata>>> log_directories(Cluster& cluster) {
  protocol::DescribeLogDirsRequest request;
  request.topics.reset();
  MOLDAU_CO_TRY(const auto reply, co_await cluster.call_any<protocol::DescribeLogDirsResponse>(std::move(request)));
  if (reply.message.error_code != 0) co_return fail(server_error(error_code(reply.message.error_code), "cannot list the log directories"));
  std::vector<LogDirectoryMetadata> directories;
  for (const auto& told : reply.message.results) {
    auto& directory = directories.emplace_back(
        LogDirectoryMetadata{told.log_dir, error_code(told.error_code), told.total_bytes, told.usable_bytes, told.is_cordoned, {}});
    for (const auto& topic : told.topics)
      for (const auto& partition : topic.partitions)
        directory.replicas.push_back({topic.name, partition.partition_index, partition.partition_size, partition.offset_lag, partition.is_future_key});
  }
  co_return directories;
}

task<client_result<>> move_replica(Cluster& cluster, std::string topic, int32_t partition, std::string directory) {
  protocol::AlterReplicaLogDirsRequest request;
  auto& wanted = request.dirs.emplace_back();
  wanted.path = directory;
  auto& moved = wanted.topics.emplace_back();
  moved.name = topic;
  moved.partitions = {partition};
  MOLDAU_CO_TRY(const auto reply, co_await cluster.call_any<protocol::AlterReplicaLogDirsResponse>(std::move(request)));
  for (const auto& answer : reply.message.results)
    for (const auto& entry : answer.partitions)
      if (entry.error_code != 0)
        co_return fail(server_error(error_code(entry.error_code), fmt::format("cannot move {}-{} to {}", topic, partition, directory)));
  co_return client_result<>{};
}

}  // namespace moldau::client
