#include "server/run_server.h"

#include "base/log.h"
#include "runtime/real/environment.h"
#include "runtime/signal.h"

namespace moldau::server {

using runtime::task;
using Outcome = result<void, std::string>;

namespace {

struct StopRequest {
  bool asked = false;
  std::string failure;  // why the node asked for it itself
  runtime::Signal changed;
};

task<void> serve(runtime::Environment& environment, metadata::LoadedConfig config, const RunOptions& options, StopRequest& stop,
                 Outcome& outcome) {
  Node node(environment, std::move(config));
  const std::shared_ptr<void> kept = options.on_starting ? options.on_starting(node) : nullptr;
  node.broker().on_fatal = [&stop](const std::string& why) {
    stop.asked = true;
    stop.failure = why;
    stop.changed.notify_all();
  };
  outcome = co_await node.start();
  if (outcome) {
    if (options.on_ready) options.on_ready(node);
    while (!stop.asked) co_await stop.changed.wait();
    log_info("stopping");
  }
  co_await node.stop();
  if (outcome && !stop.failure.empty()) outcome = fail(stop.failure);
  if (outcome) log_info("stopped cleanly");
}

}  // namespace

Outcome run_server(metadata::LoadedConfig config, RunOptions options) {
  StopRequest stop;
  Outcome outcome;
  const auto environment = runtime::make_real_environment({.shards = options.shards, .on_signal = [&stop](int) {
                                                             stop.asked = true;
                                                             stop.changed.notify_all();
                                                           }});
  environment->run([&] { return serve(*environment, std::move(config), options, stop, outcome); });
  return outcome;
}

}  // namespace moldau::server
