// Metadata: brokers, topics and partitions. A topic that does not exist is made if client and node allow it; the answer
// then has it at once, where Kafka lets the client ask again.
#include "broker/api_handlers.h"
#include "broker/client_view.h"
#include "broker/create_missing_topics.h"
#include "broker/reply.h"
#include "metadata/metadata_response.h"

namespace moldau::broker {

runtime::task<Reply> handle_metadata(RequestContext& context, Gate<ApiKey::metadata> gate) {
  MOLDAU_DECODE(MetadataRequest, request, context);
  const bool may_create = context.broker.config.topics.auto_create_topics_enable;
  const GatedAccess access(gate);
  const metadata::ClientView view = client_view(context, access);
  metadata::MetadataAnswer answer = metadata::answer_metadata(request, *context.shard.image, view, may_create);
  if (!answer.to_create.empty()) {
    co_await create_missing_topics(context.broker, std::move(answer.to_create));
    answer = metadata::answer_metadata(request, *context.shard.image, view, may_create);
  }
  co_return make_reply(context, answer.response);
}

}  // namespace moldau::broker
