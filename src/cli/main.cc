// moldau: one program; each command has a file of its own.
#include <CLI/CLI.hpp>

#include "cli/server_command.h"
#include "cli/version.h"

int main(int argc, char** argv) {
  CLI::App app("Moldau: a distributed log that speaks Kafka's protocol", "moldau");
  app.set_version_flag("--version", std::string(moldau::cli::version));
  app.require_subcommand(1);
  int exit_code = 0;
  moldau::cli::add_server_command(app, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
