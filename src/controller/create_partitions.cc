#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "controller/controller.h"
#include "controller/partition_assignment.h"
#include "metadata/snapshot_records.h"

namespace moldau::controller {

using metadata::ApiError;
using metadata::MetadataImage;
using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::ErrorCode;

namespace {

using PartitionsTopic = CreatePartitionsRequest::CreatePartitionsTopic;

result<std::vector<metadata::Partition>, ApiError> assigned_partitions(const MetadataImage& image,
                                                                       const PartitionsTopic& request, int32_t first,
                                                                       size_t replication_factor) {
  std::vector<metadata::Partition> partitions;
  for (const auto& assignment : *request.assignments) {
    const int32_t index = first + static_cast<int32_t>(partitions.size());
    if (auto error = check_manual_assignment(image, assignment.broker_ids, replication_factor))
      return fail(std::move(*error));
    auto partition = new_partition(image, index, assignment.broker_ids);
    if (!partition)
      return fail(ApiError{ErrorCode::invalid_replica_assignment,
                           fmt::format("All brokers specified in the manual partition assignment for partition {} are "
                                       "fenced or in controlled shutdown.",
                                       index)});
    partitions.push_back(std::move(*partition));
  }
  return partitions;
}

result<std::vector<metadata::Partition>, ApiError> new_partitions(const MetadataImage& image,
                                                                  const PartitionsTopic& request, size_t room,
                                                                  const std::function<uint64_t()>& random) {
  const metadata::Topic* topic = image.find_topic(request.name);
  if (topic == nullptr) return fail(metadata::plain_error(ErrorCode::unknown_topic_or_partition));
  const auto present = static_cast<int32_t>(topic->partitions.size());
  if (request.count == present)
    return fail(ApiError{ErrorCode::invalid_partitions, fmt::format("Topic already has {} partition(s).", present)});
  if (request.count < present)
    return fail(ApiError{ErrorCode::invalid_partitions,
                         fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                                     request.name, present, request.count)});
  const int32_t additional = request.count - present;
  if (request.assignments && request.assignments->size() != static_cast<size_t>(additional))
    return fail(ApiError{ErrorCode::invalid_replica_assignment,
                         fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were "
                                     "specified.",
                                     additional, request.assignments->size())});
  if (static_cast<size_t>(additional) > room)
    return fail(ApiError{ErrorCode::policy_violation,
                         fmt::format("Unable to perform excessively large batch operation: at most {} partitions can be "
                                     "added by one request.",
                                     max_records_per_request)});
  const size_t replication_factor = topic->partitions.empty() ? 1 : topic->partitions.front().replicas.size();
  if (request.assignments) return assigned_partitions(image, request, present, replication_factor);
  return placed_partitions(image, present, additional, static_cast<int16_t>(replication_factor), random);
}

}  // namespace

Answer<CreatePartitionsResponse> Controller::handle(const CreatePartitionsRequest& request, const RequestContext&) {
  Answer<CreatePartitionsResponse> answer;
  const MetadataImage& now = *image();
  const auto respond = [&](const std::string& name, const ApiError& error) {
    CreatePartitionsResponse::CreatePartitionsTopicResult result;
    result.name = name;
    result.error_code = static_cast<int16_t>(error.code);
    if (!error.is_none()) result.error_message = error.message;
    answer.response.results.push_back(std::move(result));
  };

  std::map<std::string_view, int> times_named;
  for (const PartitionsTopic& topic : request.topics) ++times_named[topic.name];
  for (const auto& [name, times] : times_named)
    if (times > 1) respond(std::string(name), {ErrorCode::invalid_request, "Duplicate topic name."});

  for (const PartitionsTopic& topic : request.topics) {
    if (times_named[topic.name] > 1) continue;
    auto partitions = new_partitions(now, topic, max_records_per_request - answer.records.size(), options_.random);
    if (!partitions) {
      respond(topic.name, partitions.error());
      continue;
    }
    const Uuid& id = now.find_topic(topic.name)->id;
    for (const metadata::Partition& partition : *partitions)
      answer.records.push_back(metadata::partition_record(id, partition, now.metadata_version()));
    respond(topic.name, {});
  }
  if (request.validate_only) answer.records.clear();
  return answer;
}

}  // namespace moldau::controller
