// `moldau server` and no other word of the command line: the program that suites run against in a sanitizer's build, which
// so need not build the clients and the printing of every message.
#include <fmt/core.h>

#include "cli/commands.h"

int main(int argc, char** argv) {
  moldau::cli::CommandLine line({.name = "moldau_node"});
  moldau::cli::add_server(line.root());
  const auto work = line.read(argc, argv);
  if (!work) {
    fmt::print(stderr, "moldau_node: {}\n", work.error().message);
    return 2;
  }
  return *work ? static_cast<int>((*work)()) : 0;
}
