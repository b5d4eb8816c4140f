// DeleteTopics: the controller decides; the answer comes when every shard has let go of the partitions. Who may delete in
// the cluster may delete any topic; nobody learns of a topic that they may not describe.
#include "broker/api_handlers.h"
#include "broker/named_twice.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::DeleteTopicsRequest;
using protocol::ErrorCode;
using security::Operation;
using security::ResourceType;
using Topic = DeleteTopicsRequest::DeleteTopicState;
using TopicsGate = Gate<ApiKey::delete_topics>;

namespace {

// Takes out the topics that the caller may not delete, or may not even know of. Those that are refused whoever asks
// stay: they are named twice, named badly, or not there.
security::Sifted<Topic> sift(std::vector<Topic>& topics, const TopicsGate& gate, const metadata::MetadataImage& image) {
  using Key = std::pair<std::optional<std::string>, Uuid>;
  const auto key_of = [](const Topic& topic) { return Key{topic.name, topic.topic_id}; };
  const NamedTwice<Key> twice(topics, key_of);
  const auto is_in_order = [&](const Topic& topic) {
    return topic.name.has_value() == topic.topic_id.is_zero() && !twice.contains(key_of(topic));
  };
  std::vector<Topic> hidden;
  std::erase_if(topics, [&](const Topic& topic) {
    if (!topic.name || !is_in_order(topic) || gate.may<Operation::describe, ResourceType::topic>(*topic.name)) return false;
    hidden.push_back(topic);
    return true;
  });
  auto sifted = gate.sift<Operation::delete_>(topics, [&](const Topic& topic) -> std::optional<security::Resource> {
    if (!is_in_order(topic)) return std::nullopt;
    const metadata::Topic* found = topic.name ? image.find_topic(*topic.name) : image.find_topic(topic.topic_id);
    if (found == nullptr) return std::nullopt;
    return security::Resource{ResourceType::topic, found->name};
  });
  std::ranges::move(hidden, std::back_inserter(sifted.denied));
  return sifted;
}

}  // namespace

runtime::task<Reply> handle_delete_topics(RequestContext& context, TopicsGate gate) {
  MOLDAU_DECODE(DeleteTopicsRequest, request, context);
  std::optional<security::Authorized> access = gate.may_on_cluster<Operation::delete_>(false);
  std::vector<Topic> denied;
  const metadata::MetadataImagePtr image = context.shard.image;
  if (!access) {
    for (std::string& name : request.topic_names) request.topics.emplace_back().name = std::move(name);
    request.topic_names.clear();
    std::vector<Topic> nothing;  // where no topic can be deleted, all are told just that
    auto sifted = sift(context.broker.config.topics.delete_topic_enable ? request.topics : nothing, gate, *image);
    access = sifted.kept;
    denied = std::move(sifted.denied);
  }
  auto response = co_await context.broker.quorum->handle(*access, std::move(request), context.version);
  for (const Topic& topic : denied) {
    auto& answer = response.responses.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    answer.error_code = static_cast<int16_t>(ErrorCode::topic_authorization_failed);
    answer.error_message = protocol::error_message(ErrorCode::topic_authorization_failed);
    if (topic.name) continue;
    const metadata::Topic* found = image->find_topic(topic.topic_id);
    if (gate.may<Operation::describe, ResourceType::topic>(found->name)) answer.name = found->name;
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
