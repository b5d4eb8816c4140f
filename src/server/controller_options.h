// From a node's configuration to what its quorum, its controller and its registration take.
#pragma once

#include "broker/broker.h"
#include "controller/controller.h"
#include "metadata/config/load_node_config.h"
#include "raft/quorum_of_one.h"
#include "runtime/environment.h"

namespace moldau::server {

[[nodiscard]] raft::QuorumOptions quorum_options(const metadata::NodeConfig& config, const Uuid& directory_id);
[[nodiscard]] controller::ControllerOptions controller_options(runtime::Environment& environment,
                                                               const metadata::LoadedConfig& config,
                                                               const std::string& cluster_id);
// What a new cluster's metadata log begins with: bootstrap.checkpoint of the metadata directory, which formatting wrote.
[[nodiscard]] runtime::task<result<metadata::MetadataRecords, std::string>> read_bootstrap_records(
    runtime::FileSystem& files, const std::string& directory);
// This start of the node, as its controller and its broker register.
[[nodiscard]] protocol::ControllerRegistrationRequest controller_registration(runtime::Environment& environment,
                                                                              const metadata::NodeConfig& config);
[[nodiscard]] protocol::BrokerRegistrationRequest broker_registration(runtime::Environment& environment,
                                                                      const metadata::NodeConfig& config,
                                                                      const broker::Broker& broker);

}  // namespace moldau::server
