// The answer of a broker or a controller to DescribeCluster (KIP-700, KIP-919, KIP-1073). A pure function of an image, any thread.
#pragma once

#include "metadata/client_view.h"
#include "metadata/image.h"
#include "protocol/messages/describe_cluster_request.h"
#include "protocol/messages/describe_cluster_response.h"

namespace moldau::metadata {

// What a client wants to know of, and whom it may ask: a controller's listener knows the controllers only.
enum class EndpointType : int8_t { broker = 1, controller = 2 };

[[nodiscard]] protocol::DescribeClusterResponse answer_describe_cluster(const protocol::DescribeClusterRequest& request,
                                                                        const MetadataImage& image,
                                                                        const ClientView& view, EndpointType asked);

}  // namespace moldau::metadata
