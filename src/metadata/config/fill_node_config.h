// The plain part of loading: each field of NodeConfig from its key. The listeners are listeners.h's.
#pragma once

#include <string>
#include <vector>

#include "metadata/config/config_map.h"
#include "metadata/config/node_config.h"

namespace moldau::metadata {

// Every given value must be valid by itself. Problems: a quorum that is not this node alone, no directory, an
// HTTP listener that is no address.
void fill_node_config(const ConfigMap& given, NodeConfig& node, std::vector<std::string>& problems);

}  // namespace moldau::metadata
