#include "cli/session.h"

#include <fmt/core.h>
#include <unistd.h>

#include <memory>

#include "base/log.h"
#include "cli/units.h"
#include "runtime/real/environment.h"

namespace moldau::cli {

using client::Cluster;
using client::ClusterOptions;
using client::Error;

client::client_result<ClusterOptions> cluster_options(const Context& context) {
  ClusterOptions options;
  options.bootstrap.clear();
  std::string_view rest = context.bootstrap;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (one.empty()) continue;
    const auto parsed = parse_host_port(one);
    if (const size_t scheme = one.find("://"); scheme != std::string_view::npos) {
      return fail(Error{.kind = Error::Kind::invalid,
                        .message = fmt::format("'{}' is no address of a broker: it begins with {}", one, one.substr(0, scheme + 3)),
                        .advice = fmt::format("Write --bootstrap-server {}", one.substr(scheme + 3))});
    }
    if (!parsed) {
      return fail(Error{.kind = Error::Kind::invalid,
                        .message = fmt::format("'{}' is no address of a broker", one),
                        .advice = "Write --bootstrap-server host:port, several with commas between them"});
    }
    options.bootstrap.push_back({parsed->host, parsed->port});
  }
  const auto timeout_ms = parse_duration_ms(context.timeout);
  if (options.bootstrap.empty() || !timeout_ms || *timeout_ms <= 0) {
    return fail(Error{.kind = Error::Kind::invalid,
                      .message = options.bootstrap.empty()
                                     ? "no broker is named"
                                     : fmt::format("'{}' is no time to wait", context.timeout),
                      .advice = options.bootstrap.empty() ? "Write --bootstrap-server host:port"
                                                          : "Write --timeout 30s, 500ms or 2m"});
  }
  options.connection.client_id = context.client_id;
  options.connection.request_timeout_ms = *timeout_ms;
  options.connection.connect_timeout_ms = std::min<int64_t>(*timeout_ms, 10'000);
  options.retry_timeout_ms = *timeout_ms;
  return options;
}

namespace {

task<void> work_and_close(runtime::Environment& environment, const ClusterOptions& options,
                          const StoppableWork& work, StopRequest& stop, ExitCode& exit_code) {
  Cluster cluster(environment, options);
  exit_code = co_await work(cluster, stop);
  co_await cluster.close();
}

ExitCode run(const Context& context, const StoppableWork& work, bool takes_signals) {
  const auto options = cluster_options(context);
  if (!options) return fail_with(context, options.error());
  set_log_level(LogLevel::error);  // what the runtime notes of itself is for those who run a node
  StopRequest stop;
  runtime::RealOptions real;
  if (takes_signals) {
    real.on_signal = [&stop](int) {
      if (stop.is_requested) ::_exit(static_cast<int>(ExitCode::interrupted));
      stop.is_requested = true;
      stop.changed.notify_all();
    };
  }
  const auto environment = runtime::make_real_environment(std::move(real));
  ExitCode exit_code = ExitCode::failed;
  environment->run([&] { return work_and_close(*environment, *options, work, stop, exit_code); });
  return exit_code;
}

}  // namespace

ExitCode run_with_cluster(const Context& context, ClusterWork work) {
  return run(context, [&work](Cluster& cluster, StopRequest&) { return work(cluster); }, false);
}

ExitCode run_until_stopped(const Context& context, StoppableWork work) { return run(context, work, true); }

}  // namespace moldau::cli
