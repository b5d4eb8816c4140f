#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "client/groups.h"

namespace moldau::cli {

namespace {

task<ExitCode> list(const Context& context, client::Cluster& cluster) {
  const auto groups = co_await client::list_groups(cluster);
  if (!groups) co_return fail_with(context, groups.error());
  if (context.is_json) {
    boost::json::array json;
    for (const auto& group : *groups) {
      json.push_back(boost::json::object{{"group", group.id},
                                         {"state", group.state},
                                         {"type", group.type},
                                         {"protocol_type", group.protocol_type}});
    }
    print_json(json);
    co_return ExitCode::ok;
  }
  if (groups->empty()) {
    print("There are no groups. A consumer makes one: moldau consume TOPIC --group NAME\n");
    co_return ExitCode::ok;
  }
  Table table({{"GROUP"}, {"STATE"}, {"TYPE"}, {"PROTOCOL"}});
  for (const auto& group : *groups) table.add({group.id, group.state, group.type, group.protocol_type});
  print(table.to_string());
  co_return ExitCode::ok;
}

}  // namespace

void add_group_list(Command group, Context& context) {
  Command command = group.add_command("list", "List the groups");
  command.runs([&context] {
    return run_with_cluster(context, [&](client::Cluster& cluster) { return list(context, cluster); });
  });
}

}  // namespace moldau::cli
