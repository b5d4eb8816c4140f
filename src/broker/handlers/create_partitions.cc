// CreatePartitions: the controller decides; the answer comes when every shard has the new partitions.
#include "broker/api_handlers.h"
#include "broker/named_twice.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::CreatePartitionsRequest;
using protocol::ErrorCode;
using Topic = CreatePartitionsRequest::CreatePartitionsTopic;

runtime::task<Reply> handle_create_partitions(RequestContext& context, Gate<ApiKey::create_partitions> gate) {
  MOLDAU_DECODE(CreatePartitionsRequest, request, context);
  const NamedTwice<std::string> twice(request.topics, [](const Topic& topic) { return topic.name; });
  const auto sifted = gate.sift<security::Operation::alter>(request.topics, [&](const Topic& topic) -> std::optional<security::Resource> {
    if (twice.contains(topic.name)) return std::nullopt;
    return security::Resource{security::ResourceType::topic, topic.name};
  });
  auto response = co_await context.broker.quorum->handle(sifted.kept, std::move(request), context.version);
  for (const Topic& topic : sifted.denied) {
    auto& answer = response.results.emplace_back();
    answer.name = topic.name;
    answer.error_code = static_cast<int16_t>(ErrorCode::topic_authorization_failed);
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker
