#include "metadata/describe_cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/error_code.h"

namespace moldau::metadata {

using protocol::ErrorCode;

static std::string_view name_of(EndpointType type) { return type == EndpointType::broker ? "BROKER" : "CONTROLLER"; }

static void add_brokers(protocol::DescribeClusterResponse& response, const MetadataImage& image, std::string_view listener,
                        bool include_fenced) {
  for (const auto& [id, broker] : image.brokers) {
    const Endpoint* endpoint = broker->find_endpoint(listener);
    if (endpoint == nullptr || (broker->fenced && !include_fenced)) continue;
    response.brokers.push_back({id, endpoint->host, endpoint->port, broker->rack, broker->fenced, {}});
  }
}

static void add_controllers(protocol::DescribeClusterResponse& response, const MetadataImage& image, std::string_view listener) {
  for (const auto& [id, controller] : image.controllers) {
    const auto endpoint = std::ranges::find(controller->endpoints, listener, &Endpoint::name);
    if (endpoint != controller->endpoints.end()) response.brokers.push_back({id, endpoint->host, endpoint->port, std::nullopt, false, {}});
  }
}

protocol::DescribeClusterResponse answer_describe_cluster(const protocol::DescribeClusterRequest& request,
                                                          const MetadataImage& image, const ClientView& view, EndpointType asked) {
  protocol::DescribeClusterResponse response;
  const auto wanted = static_cast<EndpointType>(request.endpoint_type);
  if (wanted != asked) {
    const bool is_known = wanted == EndpointType::broker || wanted == EndpointType::controller;
    const ErrorCode error = view.version == 0 ? ErrorCode::invalid_request
                            : is_known        ? ErrorCode::mismatched_endpoint_type
                                              : ErrorCode::unsupported_endpoint_type;
    response.error_code = static_cast<int16_t>(error);
    response.error_message =
        is_known ? fmt::format("The request was sent to an endpoint of type {}, but we wanted an endpoint of type {}", name_of(asked), name_of(wanted))
                 : fmt::format("Unsupported endpoint type {}", request.endpoint_type);
    return response;
  }
  if (asked == EndpointType::broker)
    add_brokers(response, image, view.listener, request.include_fenced_brokers);
  else
    add_controllers(response, image, view.listener);
  response.cluster_id = std::string(view.cluster_id);
  // Of the controllers the active one, which in a quorum of one is this node.
  response.controller_id = asked == EndpointType::broker ? visible_controller(image, view) : view.node_id;
  response.endpoint_type = request.endpoint_type;
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = view.access.cluster_operations();
  return response;
}

}  // namespace moldau::metadata
