// A broker's log directories and what lies in them, and moves between them (KIP-113). Asked of the broker that the cluster
// gives; the calling shard's cluster.
#pragma once

#include <string>
#include <vector>

#include "client/cluster.h"

namespace moldau::client {

struct ReplicaInDirectory {
  std::string topic;
  int32_t partition = 0;
  int64_t size_bytes = 0;
  int64_t lag = 0;         // records that it lacks
  bool is_future = false;  // on its way here
};

struct LogDirectoryMetadata {
  std::string path;
  protocol::ErrorCode error = protocol::ErrorCode::none;  // kafka_storage_error: it is offline
  int64_t total_bytes = -1;
  int64_t usable_bytes = -1;
  bool is_cordoned = false;  // nothing new is placed there
  std::vector<ReplicaInDirectory> replicas;
};

task<client_result<std::vector<LogDirectoryMetadata>>> log_directories(Cluster& cluster);
// Has the broker begin to move it; the error says why it does not.
task<client_result<>> move_replica(Cluster& cluster, std::string topic, int32_t partition, std::string directory);

}  // namespace moldau::client
