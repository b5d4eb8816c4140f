// Runs a command's work as a task on one shard, with a cluster to talk to and a way to be told to stop.
#pragma once

#include <functional>

#include "cli/context.h"
#include "client/cluster.h"
#include "runtime/environment.h"
#include "runtime/signal.h"

namespace moldau::cli {

using runtime::task;

// Set by SIGINT or SIGTERM; a second signal ends the process at once.
struct StopRequest {
  bool is_requested = false;
  runtime::Signal changed;
};

// The cluster that the context's options name, or what is wrong with them.
[[nodiscard]] client::client_result<client::ClusterOptions> cluster_options(const Context& context);

using ClusterWork = std::function<task<ExitCode>(client::Cluster&)>;
// Runs `work` and closes the cluster's connections. SIGINT ends the process, as usual.
[[nodiscard]] ExitCode run_with_cluster(const Context& context, ClusterWork work);

using StoppableWork = std::function<task<ExitCode>(client::Cluster&, StopRequest&)>;
// The same for work that ends in an orderly way when asked to.
[[nodiscard]] ExitCode run_until_stopped(const Context& context, StoppableWork work);

}  // namespace moldau::cli
