// DescribeTopicPartitions (KIP-966): topics a page at a time.
#include "broker/api_handlers.h"
#include "broker/client_view.h"
#include "broker/reply.h"
#include "metadata/describe_topic_partitions.h"

namespace moldau::broker {

runtime::task<Reply> handle_describe_topic_partitions(RequestContext& context) {
  MOLDAU_DECODE(DescribeTopicPartitionsRequest, request, context);
  const int32_t limit = context.broker.config.network.max_request_partition_size_limit;
  co_return make_reply(context,
                       metadata::answer_describe_topic_partitions(request, *context.shard.image, client_view(context), limit));
}

}  // namespace moldau::broker
