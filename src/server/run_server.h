// Runs a node in this process until it is told to stop.
#pragma once

#include <functional>
#include <string>

#include "metadata/config/load_node_config.h"
#include "server/node.h"

namespace moldau::server {

struct RunOptions {
  int shards = 1;
  // Called on shard 0 when the node serves; what it returns is kept until the node stops (the HTTP port).
  std::function<std::shared_ptr<void>(Node&)> on_ready;
};

// Returns when the node has stopped: nothing after SIGTERM or SIGINT, a sentence if it could not start.
[[nodiscard]] result<void, std::string> run_server(metadata::LoadedConfig config, RunOptions options);

}  // namespace moldau::server
