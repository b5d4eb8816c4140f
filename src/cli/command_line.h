// Reads the command line of `moldau` and runs the command that it names.
#pragma once

namespace moldau::cli {

// What the process exits with: see exit_code.h.
[[nodiscard]] int run_command_line(int argc, const char* const* argv);

}  // namespace moldau::cli
