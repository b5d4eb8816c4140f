#include "broker/create_missing_topics.h"

#include "base/log.h"
#include "broker/group_routing.h"
#include "broker/quorum_host.h"

namespace moldau::broker {

using protocol::CreateTopicsRequest;
using protocol::ErrorCode;

static constexpr int16_t create_topics_version = 7;

static CreateTopicsRequest::CreatableTopic describe_topic(const metadata::NodeConfig& config, const std::string& name) {
  CreateTopicsRequest::CreatableTopic topic;
  topic.name = name;
  topic.num_partitions = config.topics.num_partitions;
  topic.replication_factor = config.topics.default_replication_factor;
  if (name == offsets_topic_name) {
    topic.num_partitions = config.groups.offsets_topic_num_partitions;
    topic.replication_factor = config.groups.offsets_topic_replication_factor;
    const auto set = [&topic](std::string key, std::string value) {
      auto& entry = topic.configs.emplace_back();
      entry.name = std::move(key);
      entry.value = std::move(value);
    };
    set("cleanup.policy", "compact");
    set("compression.type", "producer");
    set("segment.bytes", std::to_string(config.groups.offsets_topic_segment_bytes));
  }
  return topic;
}

runtime::task<void> create_missing_topics(Broker& broker, std::vector<std::string> names) {
  CreateTopicsRequest request;
  for (const std::string& name : names) request.topics.push_back(describe_topic(broker.config, name));
  const protocol::CreateTopicsResponse response = co_await broker.quorum->handle(security::Authorized::as_node(), std::move(request), create_topics_version);
  for (const auto& topic : response.topics) {
    const auto error = static_cast<ErrorCode>(topic.error_code);
    if (error == ErrorCode::none)
      log_info("created the topic {} with {} partitions, because it was asked for", topic.name, topic.num_partitions);
    else if (error != ErrorCode::topic_already_exists)
      log_warning("cannot create the topic {}: {}", topic.name, topic.error_message.value_or(""));
  }
}

}  // namespace moldau::broker
