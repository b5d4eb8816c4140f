// DescribeQuorum (KIP-642, KIP-836): the metadata quorum, as its only voter sees it.
#include "broker/api_handlers.h"
#include "broker/quorum_host.h"
#include "broker/reply.h"

namespace moldau::broker {

using runtime::task;

static task<protocol::DescribeQuorumResponse> describe(Broker& broker, const protocol::DescribeQuorumRequest& request) {
  co_return broker.quorum->quorum().describe(request, broker.wall_clock_ms());
}

task<Reply> handle_describe_quorum(RequestContext& context, Gate<ApiKey::describe_quorum> gate) {
  MOLDAU_DECODE(DescribeQuorumRequest, request, context);
  if (!gate.may_on_cluster<security::Operation::describe>()) {
    protocol::DescribeQuorumResponse refused;
    refused.error_code = static_cast<int16_t>(protocol::ErrorCode::cluster_authorization_failed);
    if (context.version >= 2) refused.error_message = protocol::error_message(protocol::ErrorCode::cluster_authorization_failed);
    co_return make_reply(context, refused);
  }
  Broker& broker = context.broker;
  co_return make_reply(context, co_await runtime::call_on(broker.quorum_shard(),
                                                          [&broker, &request] { return describe(broker, request); }));
}

}  // namespace moldau::broker
