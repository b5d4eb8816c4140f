#include <fmt/core.h>
#include <fmt/ranges.h>

#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/session.h"
#include "client/topics.h"

namespace moldau::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool if_exists = false;
  bool is_sure = false;
};

task<ExitCode> remove(const Context& context, const Options& options, client::Cluster& cluster) {
  ExitCode exit_code = ExitCode::ok;
  for (const std::string& name : options.names) {
    const auto deleted = co_await client::delete_topic(cluster, name);
    const bool is_missing =
        !deleted && deleted.error().code == protocol::ErrorCode::unknown_topic_or_partition;
    if (!deleted && !(is_missing && options.if_exists)) {
      exit_code = fail_with(context, deleted.error());
      if (exit_code == ExitCode::cannot_connect) co_return exit_code;
      continue;
    }
    if (context.is_json)
      print_json(boost::json::object{{"topic", name}, {"deleted", !is_missing}});
    else
      print(fmt::format("{} topic {}.\n", is_missing ? "There is no" : "Deleted", name));
  }
  co_return exit_code;
}

}  // namespace

void add_topic_delete(Command topic, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = topic.add_command("delete", "Delete topics and their records");
  command.add_option("name", options->names, "The topic; several may be given").required();
  command.add_flag("--if-exists", options->if_exists, "Succeed if there is no such topic");
  command.add_flag("-y,--yes", options->is_sure, "Do not ask");
  command.runs([options, &context] {
    if (!confirm(options->is_sure,
                 fmt::format("Delete {} and every record in it?", fmt::join(options->names, ", "))))
      return ExitCode::failed;
    return run_with_cluster(context,
                            [&](client::Cluster& cluster) { return remove(context, *options, cluster); });
  });
}

}  // namespace moldau::cli
