#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace moldau::cli {

void add_log(CLI::App& app, Context& context) {
  CLI::App* log = app.add_subcommand("log", "Look into log directories, check and mend them, without a broker");
  log->require_subcommand(1);
  add_log_dump(*log, context);
  add_log_verify(*log, context);
  add_log_salvage(*log, context);
  add_log_repair_index(*log, context);
}

}  // namespace moldau::cli
