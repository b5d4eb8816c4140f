#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace moldau::cli {

void add_directory(CLI::App& app, Context& context) {
  CLI::App* directory = app.add_subcommand("directory", "List a node's log directories, and move partitions between them");
  directory->require_subcommand(1);
  add_directory_list(*directory, context);
  add_directory_move(*directory, context);
}

}  // namespace moldau::cli
