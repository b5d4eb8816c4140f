#include "metadata/metadata_response.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "metadata/topic_name.h"
#include "protocol/error_code.h"

namespace moldau::metadata {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;

namespace {

using ResponseTopic = MetadataResponse::MetadataResponseTopic;
using ResponsePartition = MetadataResponse::MetadataResponsePartition;

constexpr int16_t first_version_with_topic_ids_in_request = 12;
constexpr int16_t last_version_with_cluster_operations = 10;

// Version 0 knows no brokers that are away: it leaves them out and says so with an error.
std::vector<int32_t> visible_ones(const MetadataImage& image, const std::vector<int32_t>& brokers,
                                  std::string_view listener) {
  std::vector<int32_t> visible;
  for (const int32_t broker : brokers)
    if (is_visible(image, broker, listener)) visible.push_back(broker);
  return visible;
}

ResponsePartition describe(const MetadataImage& image, const Partition& partition, const ClientView& view) {
  ResponsePartition described;
  described.partition_index = partition.index;
  described.leader_epoch = partition.leader_epoch;
  described.replica_nodes = partition.replicas;
  described.isr_nodes = partition.isr;
  if (view.version == 0) {
    described.replica_nodes = visible_ones(image, partition.replicas, view.listener);
    described.isr_nodes = visible_ones(image, partition.isr, view.listener);
  }
  described.offline_replicas = offline_replicas(image, partition, view.listener);
  ErrorCode error = ErrorCode::none;
  if (visible_endpoint(image, partition.leader, view.listener) != nullptr) {
    described.leader_id = partition.leader;
    const bool lacks_replicas = described.replica_nodes.size() < partition.replicas.size() ||
                                described.isr_nodes.size() < partition.isr.size();
    if (lacks_replicas) error = ErrorCode::replica_not_available;
  } else {
    described.leader_id = no_leader;
    const bool is_listener_missing = image.find_broker(partition.leader) != nullptr && view.version >= 6;
    error = is_listener_missing ? ErrorCode::listener_not_found : ErrorCode::leader_not_available;
  }
  described.error_code = static_cast<int16_t>(error);
  return described;
}

ResponseTopic describe(const MetadataImage& image, const Topic& topic, const ClientView& view) {
  ResponseTopic described;
  described.name = topic.name;
  described.topic_id = topic.id;
  described.is_internal = is_internal_topic(topic.name);
  described.partitions.reserve(topic.partitions.size());
  for (const Partition& partition : topic.partitions) described.partitions.push_back(describe(image, partition, view));
  return described;
}

ResponseTopic missing(std::optional<std::string> name, const Uuid& id, ErrorCode error) {
  ResponseTopic topic;
  topic.is_internal = name && is_internal_topic(*name);
  topic.name = std::move(name);
  topic.topic_id = id;
  topic.error_code = static_cast<int16_t>(error);
  return topic;
}

bool is_malformed(const MetadataRequest& request, int16_t version) {
  return version < first_version_with_topic_ids_in_request && request.topics &&
         std::ranges::any_of(*request.topics, [](const auto& topic) { return !topic.name || !topic.topic_id.is_zero(); });
}

void add_all_topics(const MetadataImage& image, const ClientView& view, MetadataResponse& response) {
  response.topics.reserve(image.topics_by_name.size());
  for (const auto& [name, topic] : image.topics_by_name)
    if (view.access.may_describe_topic(name, false)) response.topics.push_back(describe(image, *topic, view));
}

void add_by_id(const std::set<Uuid>& ids, const MetadataImage& image, const ClientView& view,
               MetadataResponse& response) {
  std::vector<ResponseTopic> hidden;
  for (const Uuid& id : ids)
    if (image.find_topic(id) == nullptr)
      response.topics.push_back(missing(std::nullopt, id, ErrorCode::unknown_topic_id));
  for (const Uuid& id : ids) {
    const Topic* topic = image.find_topic(id);
    if (topic == nullptr) continue;
    if (view.access.may_describe_topic(topic->name, true))
      response.topics.push_back(describe(image, *topic, view));
    else  // the id alone is no secret
      hidden.push_back(missing(std::nullopt, id, ErrorCode::topic_authorization_failed));
  }
  std::ranges::move(hidden, std::back_inserter(response.topics));
}

// Topics that exist come first, then those that do not, then those that may not be made or may not be seen. Gives the
// names of those that could be created, if `may_create`.
std::vector<std::string> add_by_name(const MetadataRequest& request, const MetadataImage& image, const ClientView& view,
                                     bool may_create, MetadataResponse& response) {
  std::set<std::string_view> seen;
  std::vector<std::string> absent;
  std::vector<ResponseTopic> not_creatable;
  std::vector<ResponseTopic> hidden;
  for (const auto& topic : *request.topics) {
    if (!topic.name || !seen.insert(*topic.name).second) continue;
    if (!view.access.may_describe_topic(*topic.name, true)) {
      // Whether there is such a topic is not told, not even whether it would be an internal one.
      hidden.push_back(missing(topic.name, {}, ErrorCode::topic_authorization_failed));
      hidden.back().is_internal = false;
    } else if (const Topic* found = image.find_topic(*topic.name)) {
      response.topics.push_back(describe(image, *found, view));
    } else if (may_create && !view.access.may_create_topic(*topic.name)) {
      not_creatable.push_back(missing(topic.name, {}, ErrorCode::topic_authorization_failed));
    } else {
      absent.push_back(*topic.name);
    }
  }
  std::vector<std::string> good_names;
  for (const std::string& name : absent) {
    const bool is_good = !topic_name_problem(name);
    response.topics.push_back(
        missing(name, {}, is_good ? ErrorCode::unknown_topic_or_partition : ErrorCode::invalid_topic_exception));
    if (is_good && may_create) good_names.push_back(name);
  }
  std::ranges::move(not_creatable, std::back_inserter(response.topics));
  std::ranges::move(hidden, std::back_inserter(response.topics));
  return good_names;
}

// Whether Kafka tells the operations on this topic: not of topics that it has not looked at.
bool has_operations(const ResponseTopic& topic) {
  return topic.error_code != static_cast<int16_t>(ErrorCode::unknown_topic_id) &&
         topic.error_code != static_cast<int16_t>(ErrorCode::topic_authorization_failed);
}

}  // namespace

MetadataAnswer answer_metadata(const MetadataRequest& request, const MetadataImage& image, const ClientView& view,
                               bool may_create) {
  MetadataAnswer answer;
  MetadataResponse& response = answer.response;
  if (is_malformed(request, view.version)) {
    for (const auto& topic : *request.topics)
      response.topics.push_back(missing(topic.name.value_or(""), {}, ErrorCode::invalid_request));
    response.error_code = static_cast<int16_t>(ErrorCode::invalid_request);
    return answer;
  }

  for (const auto& [id, broker] : image.brokers) {
    if (!is_visible(image, id, view.listener)) continue;
    const Endpoint* endpoint = broker->find_endpoint(view.listener);
    response.brokers.push_back({id, endpoint->host, endpoint->port, broker->rack, {}});
  }
  response.cluster_id = std::string(view.cluster_id);
  response.controller_id = visible_controller(image, view);

  const bool wants_all = !request.topics || (view.version == 0 && request.topics->empty());
  std::set<Uuid> ids;
  if (!wants_all)
    for (const auto& topic : *request.topics)
      if (!topic.topic_id.is_zero()) ids.insert(topic.topic_id);
  if (wants_all) {
    add_all_topics(image, view, response);
  } else if (!ids.empty()) {
    add_by_id(ids, image, view, response);
  } else {
    answer.to_create =
        add_by_name(request, image, view, may_create && request.allow_auto_topic_creation, response);
  }

  if (request.include_topic_authorized_operations)
    for (ResponseTopic& topic : response.topics)
      if (has_operations(topic)) topic.topic_authorized_operations = view.access.topic_operations(*topic.name);
  if (request.include_cluster_authorized_operations && view.version <= last_version_with_cluster_operations)
    response.cluster_authorized_operations = view.access.cluster_operations();
  return answer;
}

}  // namespace moldau::metadata
