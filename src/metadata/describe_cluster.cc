#include "metadata/describe_cluster.h"

#include <fmt/format.h>

#include "protocol/error_code.h"

namespace moldau::metadata {

using protocol::ErrorCode;

namespace {
constexpr int8_t broker_endpoint = 1;
constexpr int8_t controller_endpoint = 2;
}  // namespace

protocol::DescribeClusterResponse answer_describe_cluster(const protocol::DescribeClusterRequest& request,
                                                          const MetadataImage& image, const ClientView& view) {
  protocol::DescribeClusterResponse response;
  if (request.endpoint_type != broker_endpoint) {
    const bool is_known = request.endpoint_type == controller_endpoint;
    const ErrorCode error = view.version == 0 ? ErrorCode::invalid_request
                            : is_known        ? ErrorCode::mismatched_endpoint_type
                                              : ErrorCode::unsupported_endpoint_type;
    response.error_code = static_cast<int16_t>(error);
    response.error_message =
        is_known ? "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                 : fmt::format("Unsupported endpoint type {}", request.endpoint_type);
    return response;
  }
  for (const auto& [id, broker] : image.brokers) {
    const Endpoint* endpoint = broker->find_endpoint(view.listener);
    if (endpoint == nullptr || (broker->fenced && !request.include_fenced_brokers)) continue;
    response.brokers.push_back({id, endpoint->host, endpoint->port, broker->rack, broker->fenced, {}});
  }
  response.cluster_id = std::string(view.cluster_id);
  response.controller_id = visible_controller(image, view);
  response.endpoint_type = broker_endpoint;
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = view.access.cluster_operations();
  return response;
}

}  // namespace moldau::metadata
