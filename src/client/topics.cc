#include "client/topics.h"

#include <fmt/core.h>

#include "protocol/messages/create_partitions_request.h"
#include "protocol/messages/create_partitions_response.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"

namespace moldau::client {

namespace {

constexpr int32_t topic_timeout_ms = 30'000;
constexpr int8_t topic_resource = 2;
constexpr int8_t operation_set = 0;
constexpr int8_t operation_delete = 1;

Error no_answer_for(std::string_view topic) {
  return {.kind = Error::Kind::malformed,
          .message = fmt::format("the broker's answer says nothing of topic {}", topic)};
}

std::string_view text_of(const std::optional<std::string>& message) {
  return message ? *message : std::string_view{};
}

}  // namespace

task<client_result<CreatedTopic>> create_topic(Cluster& cluster, NewTopic topic) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = topic_timeout_ms;
  request.validate_only = topic.validate_only;
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic.name;
  wanted.num_partitions = topic.partitions;
  wanted.replication_factor = topic.replication_factor;
  for (auto& [name, value] : topic.configs) {
    auto& config = wanted.configs.emplace_back();
    config.name = std::move(name);
    config.value = std::move(value);
  }
  MOLDAU_CO_TRY(auto reply, co_await cluster.call_any<protocol::CreateTopicsResponse>(std::move(request)));
  if (reply.message.topics.empty()) co_return fail(no_answer_for(topic.name));
  const auto& created = reply.message.topics.front();
  if (created.error_code != 0) {
    co_return fail(server_error(error_code(created.error_code),
                                fmt::format("cannot create topic {}", topic.name),
                                text_of(created.error_message)));
  }
  co_return CreatedTopic{.id = created.topic_id,
                         .partitions = created.num_partitions,
                         .replication_factor = created.replication_factor};
}

task<client_result<>> delete_topic(Cluster& cluster, std::string name) {
  protocol::DeleteTopicsRequest request;
  request.timeout_ms = topic_timeout_ms;
  request.topics.emplace_back().name = name;
  request.topic_names = {name};
  MOLDAU_CO_TRY(auto reply, co_await cluster.call_any<protocol::DeleteTopicsResponse>(std::move(request)));
  if (reply.message.responses.empty()) co_return fail(no_answer_for(name));
  const auto& deleted = reply.message.responses.front();
  cluster.forget_topic(name);
  if (deleted.error_code != 0) {
    co_return fail(server_error(error_code(deleted.error_code), fmt::format("cannot delete topic {}", name),
                                text_of(deleted.error_message)));
  }
  co_return client_result<>{};
}

task<client_result<>> set_partition_count(Cluster& cluster, std::string topic, int32_t total,
                                          bool validate_only) {
  protocol::CreatePartitionsRequest request;
  request.timeout_ms = topic_timeout_ms;
  request.validate_only = validate_only;
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic;
  wanted.count = total;
  wanted.assignments.reset();
  MOLDAU_CO_TRY(auto reply,
                co_await cluster.call_any<protocol::CreatePartitionsResponse>(std::move(request)));
  if (reply.message.results.empty()) co_return fail(no_answer_for(topic));
  const auto& grown = reply.message.results.front();
  cluster.forget_topic(topic);
  if (grown.error_code != 0) {
    co_return fail(server_error(error_code(grown.error_code),
                                fmt::format("cannot add partitions to topic {}", topic),
                                text_of(grown.error_message)));
  }
  co_return client_result<>{};
}

task<client_result<std::vector<ConfigEntry>>> topic_configs(Cluster& cluster, std::string name) {
  protocol::DescribeConfigsRequest request;
  auto& wanted = request.resources.emplace_back();
  wanted.resource_type = topic_resource;
  wanted.resource_name = name;
  wanted.configuration_keys.reset();
  MOLDAU_CO_TRY(auto reply, co_await cluster.call_any<protocol::DescribeConfigsResponse>(std::move(request)));
  if (reply.message.results.empty()) co_return fail(no_answer_for(name));
  auto& described = reply.message.results.front();
  if (described.error_code != 0) {
    co_return fail(server_error(error_code(described.error_code), fmt::format("settings of topic {}", name),
                                text_of(described.error_message)));
  }
  std::vector<ConfigEntry> entries;
  for (auto& config : described.configs) {
    entries.push_back({.name = std::move(config.name),
                       .value = std::move(config.value),
                       .source = static_cast<ConfigEntry::Source>(config.config_source),
                       .is_read_only = config.read_only,
                       .is_sensitive = config.is_sensitive});
  }
  co_return entries;
}

task<client_result<>> alter_topic_configs(Cluster& cluster, std::string name,
                                          std::vector<ConfigChange> changes, bool validate_only) {
  protocol::IncrementalAlterConfigsRequest request;
  request.validate_only = validate_only;
  auto& wanted = request.resources.emplace_back();
  wanted.resource_type = topic_resource;
  wanted.resource_name = name;
  for (ConfigChange& change : changes) {
    auto& config = wanted.configs.emplace_back();
    config.name = std::move(change.name);
    config.config_operation = change.value ? operation_set : operation_delete;
    config.value = std::move(change.value);
  }
  MOLDAU_CO_TRY(auto reply,
                co_await cluster.call_any<protocol::IncrementalAlterConfigsResponse>(std::move(request)));
  if (reply.message.responses.empty()) co_return fail(no_answer_for(name));
  const auto& altered = reply.message.responses.front();
  if (altered.error_code != 0) {
    co_return fail(server_error(error_code(altered.error_code),
                                fmt::format("cannot change settings of topic {}", name),
                                text_of(altered.error_message)));
  }
  co_return client_result<>{};
}

}  // namespace moldau::client
