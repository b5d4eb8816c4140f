// The answer to DescribeTopicPartitions (KIP-966): topics in the order of their names, at most so many partitions, and a
// cursor to what was left out. A pure function of an image, any thread.
#pragma once

#include "metadata/client_view.h"
#include "metadata/image.h"
#include "protocol/messages/describe_topic_partitions_request.h"
#include "protocol/messages/describe_topic_partitions_response.h"

namespace moldau::metadata {

// `most_partitions`: max.request.partition.size.limit.
[[nodiscard]] protocol::DescribeTopicPartitionsResponse answer_describe_topic_partitions(
    const protocol::DescribeTopicPartitionsRequest& request, const MetadataImage& image, const ClientView& view,
    int32_t most_partitions);

}  // namespace moldau::metadata
