#include <fmt/core.h>
#include <fmt/ranges.h>

#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/session.h"
#include "client/groups.h"

namespace moldau::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool is_sure = false;
};

task<ExitCode> remove(const Context& context, const Options& options, client::Cluster& cluster) {
  ExitCode exit_code = ExitCode::ok;
  for (const std::string& name : options.names) {
    const auto deleted = co_await client::delete_group(cluster, name);
    if (!deleted) {
      exit_code = fail_with(context, deleted.error());
      if (exit_code == ExitCode::cannot_connect) co_return exit_code;
      continue;
    }
    if (context.is_json)
      print_json(boost::json::object{{"group", name}, {"deleted", true}});
    else
      print(fmt::format("Deleted group {}.\n", name));
  }
  co_return exit_code;
}

}  // namespace

void add_group_delete(Command group, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = group.add_command("delete", "Delete groups without members, and their offsets");
  command.add_option("name", options->names, "The group; several may be given").required();
  command.add_flag("-y,--yes", options->is_sure, "Do not ask");
  command.runs([options, &context] {
    if (!confirm(options->is_sure,
                 fmt::format("Delete {} and the offsets?", fmt::join(options->names, ", "))))
      return ExitCode::failed;
    return run_with_cluster(context,
                            [&](client::Cluster& cluster) { return remove(context, *options, cluster); });
  });
}

}  // namespace moldau::cli
