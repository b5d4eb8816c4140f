// DeleteTopics: the controller decides; the answer comes when every shard has let go of the partitions.
#include "broker/api_handlers.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

runtime::task<Reply> handle_delete_topics(RequestContext& context) {
  MOLDAU_DECODE(DeleteTopicsRequest, request, context);
  co_return make_reply(context, co_await context.broker.quorum->handle(std::move(request), context.version));
}

}  // namespace moldau::broker
