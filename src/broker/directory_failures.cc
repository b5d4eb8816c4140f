#include "broker/directory_failures.h"

#include "base/log.h"
#include "broker/directory_assignments.h"
#include "broker/directory_set.h"
#include "broker/gather.h"
#include "broker/partition.h"
#include "broker/quorum_host.h"
#include "broker/replica_mover.h"

namespace moldau::broker {

using runtime::task;

static constexpr int64_t again_after_ms = 500;

void DirectoryFailures::attach() {
  // A health tells on the shard where the write has failed.
  broker_.directories->on_failure([this](LogDir& directory) {
    broker_.first_shard().shard.post([this, alive = std::weak_ptr(alive_), &directory] {
      if (!alive.expired()) failed(directory);  // one that fails in the last moments of a stop is told to nobody
    });
  });
}

task<void> DirectoryFailures::watch() {
  watching_ = true;
  for (const auto& directory : broker_.directories->directories())
    if (directory->is_offline() && !directory->id.is_reserved_directory()) co_await handle(*directory);
}

void DirectoryFailures::stop() {
  stopping_ = true;
  stop_asked_.notify_all();
}

void DirectoryFailures::failed(LogDir& directory) {
  if (watching_ && !stopping_) broker_.background.spawn(handle(directory));
}

static task<void> tell_partitions(BrokerShard& shard, const LogDir& directory) {
  co_await shard.broker.mover->of(shard).directory_failed(directory);
  std::vector<std::shared_ptr<Partition>> concerned;
  for (const auto& [key, partition] : shard.partitions)
    if (partition->log().log_dir() == directory.path()) concerned.push_back(partition);
  for (const auto& partition : concerned) partition->directory_failed();
  if (!concerned.empty())
    log_warning("{} partitions in {} are offline until it is mended and the node is started again", concerned.size(), directory.path());
}

task<void> DirectoryFailures::handle(LogDir& directory) {
  DirectorySet& directories = *broker_.directories;
  if (&directory == &directories.metadata_directory()) {
    broker_.end_with("the log directory that holds the metadata has failed: " + directory.path());
    co_return;
  }
  if (directories.all_offline()) {
    broker_.end_with("every one of log.dirs has failed, the last one was " + directory.path());
    co_return;
  }
  co_await gather_all(broker_, [&directory](BrokerShard& shard) { return tell_partitions(shard, directory); });
  const runtime::Shard& shard = broker_.first_shard().shard;
  const int64_t deadline_us = shard.now_us() + broker_.config.logs.log_dir_failure_timeout_ms * 1000;
  while (!stopping_) {
    if (co_await tell_controller()) co_return;
    if (shard.now_us() >= deadline_us) {
      broker_.end_with("the controller could not be told that a log directory has failed: " + directory.path());
      co_return;
    }
    (void)co_await stop_asked_.wait_until(shard.now_us() + again_after_ms * 1000);
  }
}

task<bool> DirectoryFailures::tell_controller() {
  // A partition of which the controller does not know yet that it lies there would keep its leader.
  if (!co_await broker_.assignments->send()) co_return false;
  const metadata::Broker* self = broker_.first_shard().image->find_broker(broker_.config.node_id.value());
  protocol::BrokerHeartbeatRequest heartbeat;
  heartbeat.broker_id = self->id;
  heartbeat.broker_epoch = self->epoch;
  heartbeat.current_metadata_offset = broker_.first_shard().image->offset.value();
  for (const auto& each : broker_.directories->directories())
    if (each->is_offline() && !each->id.is_reserved_directory()) heartbeat.offline_log_dirs.push_back(each->id);
  const auto response = co_await broker_.quorum->handle(security::Authorized::as_node(), std::move(heartbeat),
                                                        protocol::BrokerHeartbeatRequest::valid_versions.max);
  co_return response.error_code == 0;
}

}  // namespace moldau::broker
