// DescribeTopicPartitions (KIP-966): topics a page at a time.
#include "broker/api_handlers.h"
#include "broker/client_view.h"
#include "broker/reply.h"
#include "metadata/describe_topic_partitions.h"

namespace moldau::broker {

runtime::task<Reply> handle_describe_topic_partitions(RequestContext& context, Gate<ApiKey::describe_topic_partitions> gate) {
  MOLDAU_DECODE(DescribeTopicPartitionsRequest, request, context);
  const int32_t limit = context.broker.config.network.max_request_partition_size_limit;
  const GatedAccess access(gate);
  co_return make_reply(context, metadata::answer_describe_topic_partitions(request, *context.shard.image,
                                                                           client_view(context, access), limit));
}

}  // namespace moldau::broker
