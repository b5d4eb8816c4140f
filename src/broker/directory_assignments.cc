#include "broker/directory_assignments.h"

#include <map>

#include "broker/quorum_host.h"

namespace moldau::broker {

using protocol::ErrorCode;
using runtime::task;

static constexpr size_t max_assignments = 2250;  // of one request, as Kafka
static constexpr int64_t retry_ms = 1000;

void DirectoryAssignments::note(PartitionKey key, Uuid directory) {
  waiting_[key] = directory;
  if (stopping_ || std::exchange(is_running_, true)) return;
  broker_.background.spawn(send_until_done());
}

void DirectoryAssignments::stop() {
  stopping_ = true;
  stop_asked_.notify_all();
}

task<void> DirectoryAssignments::send_until_done() {
  co_await runtime::yield();  // whoever notes something in this turn comes along
  while (!stopping_ && !waiting_.empty()) {
    if (co_await send()) continue;
    (void)co_await stop_asked_.wait_until(broker_.first_shard().shard.now_us() + retry_ms * 1000);
  }
  is_running_ = false;
}

task<bool> DirectoryAssignments::send() {
  const auto turn = co_await sending_.lock();
  const metadata::MetadataImagePtr image = broker_.first_shard().image;
  const metadata::Broker* self = image == nullptr ? nullptr : image->find_broker(broker_.config.node_id.value());
  if (self == nullptr) co_return waiting_.empty();
  if (!image->metadata_version().has_directory_assignment()) {
    waiting_.clear();
    co_return true;
  }
  protocol::AssignReplicasToDirsRequest request;
  request.broker_id = self->id;
  request.broker_epoch = self->epoch;
  std::map<Uuid, std::map<Uuid, std::vector<int32_t>>> by_directory;
  std::unordered_map<PartitionKey, Uuid, PartitionKeyHash> sent;
  for (const auto& [key, directory] : waiting_) {
    if (sent.size() == max_assignments) break;
    sent.emplace(key, directory);
    by_directory[directory][key.topic_id].push_back(key.partition);
  }
  if (sent.empty()) co_return true;
  for (auto& [directory, topics] : by_directory) {
    auto& asked = request.directories.emplace_back();
    asked.id = directory;
    for (auto& [topic_id, partitions] : topics) {
      auto& topic = asked.topics.emplace_back();
      topic.topic_id = topic_id;
      std::ranges::sort(partitions);
      for (const int32_t partition : partitions) topic.partitions.emplace_back().partition_index = partition;
    }
  }
  const auto response = co_await broker_.quorum->handle(security::Authorized::as_node(), std::move(request), 0);
  if (response.error_code != 0) co_return false;
  // What the controller refuses is of topics that are gone, or not this node's any more.
  for (const auto& [key, directory] : sent)
    if (const auto found = waiting_.find(key); found != waiting_.end() && found->second == directory) waiting_.erase(found);
  co_return true;
}

}  // namespace moldau::broker
