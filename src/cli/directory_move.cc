#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/units.h"
#include "client/log_directories.h"

namespace moldau::cli {

namespace {

constexpr int64_t look_interval_ms = 500;

struct Options {
  std::string topic;
  int32_t partition = 0;
  std::string target;
  bool waits = false;
};

struct Place {
  std::string directory;           // where it lies
  std::optional<int64_t> to_go;    // records that are still to be copied; none once nothing is on its way
};

Place place_of(const std::vector<client::LogDirectoryMetadata>& directories, const Options& options) {
  Place place;
  for (const auto& directory : directories)
    for (const auto& replica : directory.replicas) {
      if (replica.topic != options.topic || replica.partition != options.partition) continue;
      if (replica.is_future)
        place.to_go = replica.lag;
      else
        place.directory = directory.path;
    }
  return place;
}

task<ExitCode> wait(const Context& context, const Options& options, client::Cluster& cluster) {
  while (true) {
    const auto directories = co_await client::log_directories(cluster);
    if (!directories) co_return fail_with(context, directories.error());
    const Place place = place_of(*directories, options);
    if (!place.to_go && place.directory == options.target) co_return ExitCode::ok;
    if (!place.to_go) {
      complain(context, fmt::format("{}-{} lies in {}: the move has ended", options.topic, options.partition, place.directory),
               "The node's log says why, if nobody asked for another directory.");
      co_return ExitCode::failed;
    }
    if (!context.is_json && is_error_terminal()) fmt::print(stderr, "\r{} records to go \033[K", count_text(*place.to_go));
    co_await runtime::sleep_ms(look_interval_ms);
  }
}

task<ExitCode> move(const Context& context, const Options& options, client::Cluster& cluster) {
  const auto begun = co_await client::move_replica(cluster, options.topic, options.partition, options.target);
  if (!begun) co_return fail_with(context, begun.error());
  if (options.waits) {
    if (const ExitCode waited = co_await wait(context, options, cluster); waited != ExitCode::ok) co_return waited;
    if (!context.is_json && is_error_terminal()) fmt::print(stderr, "\r\033[K");
  }
  if (context.is_json)
    print_json(boost::json::object{
        {"topic", options.topic}, {"partition", options.partition}, {"directory", options.target}, {"finished", options.waits}});
  else
    print(fmt::format("{} {}-{} to {}.\n", options.waits ? "Moved" : "Moving", options.topic, options.partition, options.target));
  co_return ExitCode::ok;
}

}  // namespace

void add_directory_move(Command directory, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = directory.add_command("move", "Move a partition to another log directory of its node");
  command.add_option("topic", options->topic, "The topic").required();
  command.add_option("partition", options->partition, "The partition").required().not_negative();
  command.add_option("to", options->target, "The directory, as log.dirs names it").required();
  command.add_flag("--wait", options->waits, "Return when it lies there");
  command.runs([options, &context] {
    return run_with_cluster(context, [&](client::Cluster& cluster) { return move(context, *options, cluster); });
  });
}

}  // namespace moldau::cli
