#include "metadata/describe_topic_partitions.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "metadata/topic_name.h"
#include "protocol/error_code.h"

namespace moldau::metadata {

using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;
using protocol::ErrorCode;

namespace {

using ResponseTopic = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic;
using ResponsePartition = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponsePartition;

ResponsePartition describe(const MetadataImage& image, const Partition& partition, const ClientView& view) {
  ResponsePartition described;
  described.partition_index = partition.index;
  described.leader_id =
      visible_endpoint(image, partition.leader, view.listener) != nullptr ? partition.leader : no_leader;
  described.leader_epoch = partition.leader_epoch;
  described.replica_nodes = partition.replicas;
  described.isr_nodes = partition.isr;
  described.eligible_leader_replicas = partition.eligible_leader_replicas;
  described.last_known_elr = partition.last_known_elr;
  described.offline_replicas = offline_replicas(image, partition, view.listener);
  return described;
}

ResponseTopic missing(const std::string& name, ErrorCode error) {
  ResponseTopic topic;
  topic.name = name;
  topic.is_internal = is_internal_topic(name);
  topic.error_code = static_cast<int16_t>(error);
  return topic;
}

// Collects topics until the limit is reached and the cursor is set.
class Collection {
 public:
  Collection(const MetadataImage& image, const ClientView& view, size_t limit)
      : image_(image), view_(view), remaining_(limit) {}

  // False when the answer is full.
  bool add(const std::string& name, int32_t first_partition, bool names_missing_ones) {
    if (remaining_ == 0) {
      response.next_cursor = DescribeTopicPartitionsResponse::Cursor{name, 0, {}};
      return false;
    }
    const Topic* topic = image_.find_topic(name);
    if (topic == nullptr) {
      if (names_missing_ones)
        response.topics.push_back(missing(name, topic_name_problem(name) ? ErrorCode::invalid_topic_exception
                                                                         : ErrorCode::unknown_topic_or_partition));
      return true;
    }
    ResponseTopic described;
    described.name = name;
    described.topic_id = topic->id;
    described.is_internal = is_internal_topic(name);
    const size_t begin = std::min(static_cast<size_t>(first_partition), topic->partitions.size());
    const size_t end = std::min(topic->partitions.size(), begin + remaining_);
    for (size_t i = begin; i < end; ++i) described.partitions.push_back(describe(image_, topic->partitions[i], view_));
    response.topics.push_back(std::move(described));
    remaining_ -= end - begin;
    if (end == topic->partitions.size()) return true;
    response.next_cursor = DescribeTopicPartitionsResponse::Cursor{name, static_cast<int32_t>(end), {}};
    return false;
  }

  DescribeTopicPartitionsResponse response;

 private:
  const MetadataImage& image_;
  const ClientView& view_;
  size_t remaining_;
};

}  // namespace

DescribeTopicPartitionsResponse answer_describe_topic_partitions(const DescribeTopicPartitionsRequest& request,
                                                                 const MetadataImage& image, const ClientView& view,
                                                                 int32_t most_partitions) {
  const bool wants_all = request.topics.empty();
  const std::string from = request.cursor ? request.cursor->topic_name : std::string();
  std::set<std::string> names;
  for (const auto& topic : request.topics)
    if (topic.name >= from) names.insert(topic.name);
  const bool is_cursor_bad = request.cursor && ((!wants_all && !names.contains(from)) || request.cursor->partition_index < 0);
  if (is_cursor_bad) {
    DescribeTopicPartitionsResponse refused;
    for (const auto& topic : request.topics) refused.topics.push_back(missing(topic.name, ErrorCode::invalid_request));
    return refused;
  }

  const auto first_partition = [&](const std::string& name) {
    return request.cursor && name == from ? request.cursor->partition_index : 0;
  };
  const int32_t limit = std::max(std::min(most_partitions, request.response_partition_limit), 1);
  Collection collection(image, view, static_cast<size_t>(limit));
  std::vector<ResponseTopic> hidden;
  if (wants_all) {
    for (auto at = image.topics_by_name.lower_bound(from); at != image.topics_by_name.end(); ++at) {
      if (!view.access.may_describe_topic(at->first, false)) continue;
      if (!collection.add(at->first, first_partition(at->first), false)) break;
    }
  } else {
    for (const std::string& name : names) {
      if (!view.access.may_describe_topic(name, true)) {
        hidden.push_back(missing(name, ErrorCode::topic_authorization_failed));
        hidden.back().is_internal = false;
        continue;
      }
      if (!collection.add(name, first_partition(name), true)) break;
    }
  }
  for (ResponseTopic& topic : collection.response.topics)
    topic.topic_authorized_operations = view.access.topic_operations(*topic.name);
  std::ranges::move(hidden, std::back_inserter(collection.response.topics));
  return std::move(collection.response);
}

}  // namespace moldau::metadata
