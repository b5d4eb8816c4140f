// CreateTopics: the controller decides; the answer comes when every shard has the new partitions. Who may create in the
// cluster may create any topic; who may not see a new topic's settings is not told them.
#include "broker/api_handlers.h"
#include "broker/named_twice.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::CreateTopicsRequest;
using protocol::ErrorCode;
using security::Operation;
using security::ResourceType;
using Topic = CreateTopicsRequest::CreatableTopic;

static void hide_configs(protocol::CreateTopicsResponse::CreatableTopicResult& topic) {
  topic.topic_config_error_code = static_cast<int16_t>(ErrorCode::topic_authorization_failed);
  topic.num_partitions = -1;
  topic.replication_factor = -1;
  topic.configs.emplace();
}

runtime::task<Reply> handle_create_topics(RequestContext& context, Gate<ApiKey::create_topics> gate) {
  MOLDAU_DECODE(CreateTopicsRequest, request, context);
  std::optional<security::Authorized> access = gate.may_on_cluster<Operation::create>(false);
  std::vector<Topic> denied;
  if (!access) {
    const NamedTwice<std::string> twice(request.topics, [](const Topic& topic) { return topic.name; });
    auto sifted = gate.sift<Operation::create>(request.topics, [&](const Topic& topic) -> std::optional<security::Resource> {
      if (twice.contains(topic.name) || topic.name == "__cluster_metadata") return std::nullopt;
      return security::Resource{ResourceType::topic, topic.name};
    });
    access = sifted.kept;
    denied = std::move(sifted.denied);
  }
  auto response = co_await context.broker.quorum->handle(*access, std::move(request), context.version);
  for (auto& topic : response.topics)
    if (topic.error_code == 0 && !gate.may<Operation::describe_configs, ResourceType::topic>(topic.name, false)) hide_configs(topic);
  for (const Topic& topic : denied) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    answer.error_code = static_cast<int16_t>(ErrorCode::topic_authorization_failed);
    answer.error_message = "Authorization failed.";
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
