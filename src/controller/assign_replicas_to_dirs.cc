// AssignReplicasToDirs (KIP-858): a broker says in which of its log directories replicas lie.
#include <algorithm>

#include "controller/controller.h"
#include "controller/partition_sweep.h"

namespace moldau::controller {

using metadata::MetadataImage;
using protocol::AssignReplicasToDirsRequest;
using protocol::AssignReplicasToDirsResponse;
using protocol::ErrorCode;

Answer<AssignReplicasToDirsResponse> Controller::handle(const AssignReplicasToDirsRequest& request, const RequestContext&) {
  Answer<AssignReplicasToDirsResponse> answer;
  const MetadataImage& now = *image();
  const auto refuse = [&](ErrorCode code) {
    answer.response.error_code = static_cast<int16_t>(code);
    return answer;
  };
  if (!now.metadata_version().has_directory_assignment()) return refuse(ErrorCode::unsupported_version);
  const metadata::Broker* broker = now.find_broker(request.broker_id);
  if (broker == nullptr || broker->epoch != request.broker_epoch) return refuse(ErrorCode::stale_broker_epoch);
  PartitionSweep sweep(now, options_);
  for (const auto& asked_directory : request.directories) {
    auto& directory_answer = answer.response.directories.emplace_back();
    directory_answer.id = asked_directory.id;
    // Who says that a replica lies in a directory that is offline gives up what it led there.
    const bool is_online = broker->has_online_directory(asked_directory.id);
    const PartitionEvent event{.broker_to_remove = is_online ? metadata::no_leader : broker->id,
                               .broker_of_directory = broker->id,
                               .directory = asked_directory.id};
    for (const auto& asked_topic : asked_directory.topics) {
      auto& topic_answer = directory_answer.topics.emplace_back();
      topic_answer.topic_id = asked_topic.topic_id;
      const metadata::Topic* topic = now.find_topic(asked_topic.topic_id);
      for (const auto& asked : asked_topic.partitions) {
        auto& partition_answer = topic_answer.partitions.emplace_back();
        partition_answer.partition_index = asked.partition_index;
        const metadata::Partition* partition = topic == nullptr ? nullptr : topic->find(asked.partition_index);
        ErrorCode error = ErrorCode::none;
        if (topic == nullptr)
          error = ErrorCode::unknown_topic_id;
        else if (partition == nullptr)
          error = ErrorCode::unknown_topic_or_partition;
        else if (std::ranges::find(partition->replicas, broker->id) == partition->replicas.end())
          error = ErrorCode::not_leader_or_follower;
        else
          sweep.add_change(*topic, *partition, event, answer.records);
        partition_answer.error_code = static_cast<int16_t>(error);
      }
    }
  }
  return answer;
}

}  // namespace moldau::controller
