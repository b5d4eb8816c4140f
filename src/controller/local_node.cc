#include "controller/local_node.h"

#include <algorithm>
#include <utility>

#include "metadata/features.h"

namespace moldau::controller {

protocol::BrokerRegistrationRequest broker_registration(const LocalNode& node, int64_t previous_broker_epoch) {
  protocol::BrokerRegistrationRequest request;
  request.broker_id = node.node_id;
  request.cluster_id = node.cluster_id;
  request.incarnation_id = node.incarnation_id;
  for (const metadata::Endpoint& one : node.endpoints)
    request.listeners.push_back({one.name, one.host, one.port, one.security_protocol, {}});
  for (const metadata::Feature& feature : metadata::supported_features())
    request.features.push_back({std::string(feature.name), feature.supported.min, feature.supported.max, {}});
  request.rack = node.rack;
  request.log_dirs = node.log_dirs;
  std::ranges::sort(request.log_dirs);
  request.previous_broker_epoch = previous_broker_epoch;
  return request;
}

protocol::ControllerRegistrationRequest controller_registration(const LocalNode& node) {
  protocol::ControllerRegistrationRequest request;
  request.controller_id = node.node_id;
  request.incarnation_id = node.incarnation_id;
  for (const metadata::Endpoint& one : node.endpoints)
    request.listeners.push_back({one.name, one.host, one.port, one.security_protocol, {}});
  for (const metadata::Feature& feature : metadata::supported_features())
    request.features.push_back({std::string(feature.name), feature.supported.min, feature.supported.max, {}});
  return request;
}

metadata::MetadataRecords bootstrap_records() {
  metadata::MetadataRecords records;
  for (const metadata::Feature& feature : metadata::supported_features()) {
    if (feature.name == metadata::kraft_version_feature) continue;
    protocol::FeatureLevelRecord record;
    record.name = feature.name;
    record.feature_level = feature.default_level;
    records.push_back({std::move(record), 0});
  }
  return records;
}

}  // namespace moldau::controller
