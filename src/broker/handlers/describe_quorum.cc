// DescribeQuorum (KIP-642, KIP-836): the metadata quorum, as its only voter sees it.
#include "broker/api_handlers.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

using runtime::task;

static task<protocol::DescribeQuorumResponse> describe(Broker& broker, const protocol::DescribeQuorumRequest& request) {
  co_return broker.quorum->quorum().describe(request, broker.wall_clock_ms());
}

task<Reply> handle_describe_quorum(RequestContext& context) {
  MOLDAU_DECODE(DescribeQuorumRequest, request, context);
  Broker& broker = context.broker;
  co_return make_reply(context, co_await runtime::call_on(broker.first_shard().shard,
                                                          [&broker, &request] { return describe(broker, request); }));
}

}  // namespace moldau::broker
