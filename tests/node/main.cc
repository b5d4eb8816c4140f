// `moldau server` and no other word of the command line: the program that suites run against in a sanitizer's build, which
// so need not build the clients and the printing of every message.
#include <CLI/CLI.hpp>

#include "cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app;
  moldau::cli::Context context;
  moldau::cli::add_server(app, context);
  CLI11_PARSE(app, argc, argv);
  return context.run ? static_cast<int>(context.run()) : 2;
}
