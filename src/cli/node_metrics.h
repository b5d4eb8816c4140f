// The HTTP port of a node, from before its start until after its stop: what it answers for the node.
#pragma once

#include <memory>
#include <string>

#include "server/node.h"

namespace moldau::cli {

// Null, with a line in the log, if the port cannot be had. The node outlives what is returned.
[[nodiscard]] std::shared_ptr<void> start_http(server::Node& node, const std::string& host, uint16_t port);

}  // namespace moldau::cli
