// DescribeCluster (KIP-700): the cluster's id, its brokers and its controller.
#include "broker/api_handlers.h"
#include "broker/client_view.h"
#include "broker/reply.h"
#include "metadata/describe_cluster.h"

namespace moldau::broker {

runtime::task<Reply> handle_describe_cluster(RequestContext& context, Gate<ApiKey::describe_cluster> gate) {
  MOLDAU_DECODE(DescribeClusterRequest, request, context);
  const GatedAccess access(gate);
  co_return make_reply(context, metadata::answer_describe_cluster(request, *context.shard.image, client_view(context, access)));
}

}  // namespace moldau::broker
