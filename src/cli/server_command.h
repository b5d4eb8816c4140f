// `moldau server [server.properties] [--override KEY=VALUE]... [--strict] [--shards N]`
#pragma once

#include <CLI/CLI.hpp>

namespace moldau::cli {

// Adds the command to `app`; its exit code is stored in `exit_code` when it runs.
void add_server_command(CLI::App& app, int& exit_code);

}  // namespace moldau::cli
