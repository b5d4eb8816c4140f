#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace moldau::cli {

void add_group(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("group", "List, describe, seek and delete consumer groups");
  group->require_subcommand(1);
  add_group_list(*group, context);
  add_group_describe(*group, context);
  add_group_seek(*group, context);
  add_group_delete(*group, context);
}

}  // namespace moldau::cli
