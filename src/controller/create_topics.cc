#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "controller/controller.h"
#include "controller/min_insync_rules.h"
#include "controller/partition_assignment.h"
#include "metadata/snapshot_records.h"
#include "metadata/topic_name.h"

namespace moldau::controller {

using metadata::ApiError;
using metadata::MetadataImage;
using metadata::MetadataRecords;
using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;

namespace {

using CreatableTopic = CreateTopicsRequest::CreatableTopic;
using TopicResult = CreateTopicsResponse::CreatableTopicResult;

TopicResult failed(const std::string& name, const ApiError& error) {
  TopicResult result;
  result.name = name;
  result.error_code = static_cast<int16_t>(error.code);
  result.error_message = error.message;
  return result;
}

std::optional<ApiError> check_name(const MetadataImage& image, const std::string& name) {
  if (image.topics_by_name.contains(name))
    return ApiError{ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", name)};
  if (auto invalid = metadata::topic_name_problem(name))
    return ApiError{ErrorCode::invalid_topic_exception, std::move(*invalid)};
  if (const auto other = metadata::colliding_topic(image, name))
    return ApiError{ErrorCode::invalid_topic_exception,
                    fmt::format("Topic '{}' collides with existing topic: {}", name, *other)};
  return std::nullopt;
}

result<metadata::ConfigMap, ApiError> wanted_configs(const CreatableTopic& topic) {
  metadata::ConfigMap configs;
  std::string nulls;
  for (const auto& config : topic.configs) {
    if (config.value) {
      configs.insert_or_assign(config.name, *config.value);
    } else {
      nulls += (nulls.empty() ? "" : ",") + config.name;
    }
  }
  if (!nulls.empty())
    return fail(ApiError{ErrorCode::invalid_config, "Null value not supported for topic configs: " + nulls});
  return configs;
}

result<std::vector<metadata::Partition>, ApiError> manual_partitions(const MetadataImage& image,
                                                                     const CreatableTopic& topic) {
  if (topic.replication_factor != -1)
    return fail(ApiError{ErrorCode::invalid_request,
                         "A manual partition assignment was specified, but replication factor was not set to -1."});
  if (topic.num_partitions != -1)
    return fail(ApiError{ErrorCode::invalid_request,
                         "A manual partition assignment was specified, but numPartitions was not set to -1."});
  std::map<int32_t, metadata::Partition> partitions;
  std::optional<size_t> replication_factor;
  for (const auto& assignment : topic.assignments) {
    if (partitions.contains(assignment.partition_index))
      return fail(ApiError{ErrorCode::invalid_replica_assignment,
                           fmt::format("Found multiple manual partition assignments for partition {}",
                                       assignment.partition_index)});
    if (auto error = check_manual_assignment(image, assignment.broker_ids, replication_factor))
      return fail(std::move(*error));
    replication_factor = assignment.broker_ids.size();
    auto partition = new_partition(image, assignment.partition_index, assignment.broker_ids);
    if (!partition)
      return fail(ApiError{ErrorCode::invalid_replica_assignment,
                           fmt::format("All brokers specified in the manual partition assignment for partition {} are "
                                       "fenced or in controlled shutdown.",
                                       assignment.partition_index)});
    partitions.emplace(assignment.partition_index, std::move(*partition));
  }
  std::vector<metadata::Partition> in_order;
  for (auto& [index, partition] : partitions) {
    if (index != static_cast<int32_t>(in_order.size()))
      return fail(ApiError{ErrorCode::invalid_replica_assignment,
                           "partitions should be a consecutive 0-based integer sequence"});
    in_order.push_back(std::move(partition));
  }
  return in_order;
}

result<std::vector<metadata::Partition>, ApiError> partitions_of(const MetadataImage& image,
                                                                 const CreatableTopic& topic,
                                                                 const ControllerOptions& options) {
  if (!topic.assignments.empty()) return manual_partitions(image, topic);
  if (topic.replication_factor < -1 || topic.replication_factor == 0)
    return fail(ApiError{ErrorCode::invalid_replication_factor,
                         "Replication factor must be larger than 0, or -1 to use the default value."});
  if (topic.num_partitions < -1 || topic.num_partitions == 0)
    return fail(ApiError{ErrorCode::invalid_partitions,
                         "Number of partitions was set to an invalid non-positive value."});
  const int32_t count = topic.num_partitions == -1 ? options.default_num_partitions : topic.num_partitions;
  const int16_t factor =
      topic.replication_factor == -1 ? options.default_replication_factor : topic.replication_factor;
  auto placed = placed_partitions(image, 0, count, factor, options.random);
  if (!placed) placed.error().message = fmt::format("Unable to replicate the partition {} time(s): {}", factor, placed.error().message);
  return placed;
}

int64_t partitions_asked_for(const CreateTopicsRequest& request, int32_t default_count) {
  int64_t count = 0;
  for (const CreatableTopic& topic : request.topics) {
    if (!topic.assignments.empty()) {
      count += static_cast<int64_t>(topic.assignments.size());
    } else {
      count += topic.num_partitions == -1 ? default_count : std::max(topic.num_partitions, 0);
    }
  }
  return count;
}

MetadataRecords records_of(const MetadataImage& image, const std::string& name, const Uuid& id,
                           const metadata::ConfigMap& configs, const std::vector<metadata::Partition>& partitions) {
  MetadataRecords records;
  protocol::TopicRecord topic;
  topic.name = name;
  topic.topic_id = id;
  records.push_back({std::move(topic), 0});
  // Settings stand before the partitions, so that a log is never created with others.
  for (const auto& [key, value] : configs) {
    protocol::ConfigRecord record;
    record.resource_type = static_cast<int8_t>(metadata::ResourceType::topic);
    record.resource_name = name;
    record.name = key;
    record.value = value;
    records.push_back({std::move(record), 0});
  }
  add_elr_clearing(image, records);
  for (const metadata::Partition& partition : partitions)
    records.push_back(metadata::partition_record(id, partition, image.metadata_version()));
  return records;
}

}  // namespace

Answer<CreateTopicsResponse> Controller::handle(const CreateTopicsRequest& request, const RequestContext&) {
  Answer<CreateTopicsResponse> answer;
  auto& results = answer.response.topics;
  const MetadataImage& now = *image();

  if (partitions_asked_for(request, options_.default_num_partitions) > static_cast<int64_t>(max_records_per_request)) {
    for (const CreatableTopic& topic : request.topics)
      results.push_back(failed(topic.name, {ErrorCode::policy_violation,
                                            "Excessively large number of partitions per request."}));
    return answer;
  }

  std::map<std::string_view, int> times_named;
  for (const CreatableTopic& topic : request.topics) ++times_named[topic.name];

  const auto create = [&](const CreatableTopic& topic) -> result<TopicResult, ApiError> {
    if (auto error = check_name(now, topic.name)) return fail(std::move(*error));
    MOLDAU_TRY(const metadata::ConfigMap configs, wanted_configs(topic));
    if (auto error = metadata::check_new_topic(configs, options_.config, now)) return fail(std::move(*error));
    MOLDAU_TRY(const auto partitions, partitions_of(now, topic, options_));

    TopicResult created;
    created.name = topic.name;
    created.topic_id = options_.random_uuid();
    created.error_message = std::nullopt;
    created.num_partitions = static_cast<int32_t>(partitions.size());
    created.replication_factor = static_cast<int16_t>(partitions.front().replicas.size());
    created.configs = metadata::describe_new_topic(configs, options_.config, now);
    auto records = records_of(now, topic.name, created.topic_id, configs, partitions);
    answer.records.insert(answer.records.end(), std::make_move_iterator(records.begin()),
                          std::make_move_iterator(records.end()));
    return created;
  };

  for (const CreatableTopic& topic : request.topics) {
    if (times_named[topic.name] > 1 || topic.name == metadata::cluster_metadata_topic) continue;
    auto outcome = create(topic);
    results.push_back(outcome ? std::move(*outcome) : failed(topic.name, outcome.error()));
  }
  for (const auto& [name, times] : times_named) {
    if (times > 1) {
      results.push_back(failed(std::string(name), {ErrorCode::invalid_request, "Duplicate topic name."}));
    } else if (name == metadata::cluster_metadata_topic) {
      results.push_back(failed(std::string(name), {ErrorCode::invalid_request,
                                                   fmt::format("Creation of internal topic {} is prohibited.", name)}));
    }
  }
  if (request.validate_only) answer.records.clear();
  return answer;
}

}  // namespace moldau::controller
