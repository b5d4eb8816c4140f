// DescribeCluster (KIP-700): the cluster's id and its brokers and controller, or on a controller's listener its controllers.
#include "broker/api_handlers.h"
#include "broker/client_view.h"
#include "broker/reply.h"
#include "metadata/describe_cluster.h"

namespace moldau::broker {

runtime::task<Reply> handle_describe_cluster(RequestContext& context, Gate<ApiKey::describe_cluster> gate) {
  MOLDAU_DECODE(DescribeClusterRequest, request, context);
  const GatedAccess access(gate);
  const auto asked = context.connection.role == ListenerRole::broker ? metadata::EndpointType::broker : metadata::EndpointType::controller;
  co_return make_reply(context, metadata::answer_describe_cluster(request, *context.shard.image, client_view(context, access), asked));
}

}  // namespace moldau::broker
