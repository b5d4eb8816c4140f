// Runs a node in this process until it is told to stop.
#pragma once

#include <functional>
#include <string>

#include "metadata/config/load_node_config.h"
#include "server/node.h"

namespace moldau::server {

struct RunOptions {
  int shards = 1;
  // Called on shard 0 before the node starts; what it returns is kept until the node has stopped, so that the HTTP port
  // answers while logs are recovered and while connections drain.
  std::function<std::shared_ptr<void>(Node&)> on_starting;
  std::function<void(Node&)> on_ready;  // likewise, when the node serves
};

// Returns when the node has stopped: nothing after SIGTERM or SIGINT, a sentence if it could not start.
[[nodiscard]] result<void, std::string> run_server(metadata::LoadedConfig config, RunOptions options);

}  // namespace moldau::server
