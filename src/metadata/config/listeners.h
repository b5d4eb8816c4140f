// The listeners of a node, from `listeners`, `advertised.listeners` and the keys around them, with Kafka's
// rules. Only PLAINTEXT is built: a listener with another protocol is a problem that stops the start. Binds
// and looks up nothing.
#pragma once

#include <string>
#include <vector>

#include "metadata/config/config_map.h"
#include "metadata/config/node_config.h"

namespace moldau::metadata {

// Fills the listeners of `network` from the given keys. `host_name` stands in for an empty host in an
// advertised listener. Every broken rule is added to `problems`, in which case `network` is not to be used.
void read_listeners(const ConfigMap& given, const std::string& host_name, NetworkConfig& network,
                    std::vector<std::string>& problems);

}  // namespace moldau::metadata
