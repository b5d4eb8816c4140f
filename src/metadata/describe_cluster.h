// The answer of a broker to DescribeCluster (KIP-700, KIP-919, KIP-1073). A pure function of an image, any thread.
#pragma once

#include "metadata/client_view.h"
#include "metadata/image.h"
#include "protocol/messages/describe_cluster_request.h"
#include "protocol/messages/describe_cluster_response.h"

namespace moldau::metadata {

[[nodiscard]] protocol::DescribeClusterResponse answer_describe_cluster(const protocol::DescribeClusterRequest& request,
                                                                        const MetadataImage& image,
                                                                        const ClientView& view);

}  // namespace moldau::metadata
