// What every command is given: the options that all commands share, and how results and errors are shown.
//
// Results go to standard output, everything else (errors, progress, questions) to standard error. With --json
// results are JSON, one value a line, and so are errors.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "client/cluster.h"

namespace moldau::cli {

struct Context {
  std::string bootstrap = "127.0.0.1:9092";  // host:port, several with commas
  std::string timeout = "30s";
  std::string client_id = "moldau-cli";
  bool is_json = false;
};

void print(std::string_view text);             // to standard output, as it is
void print_json(const boost::json::value& v);  // one line
void complain(const Context& context, const client::Error& error);
// The same for what is wrong before any broker is asked.
void complain(const Context& context, std::string_view message, std::string_view advice);

// The error's exit code, after complaining.
[[nodiscard]] ExitCode fail_with(const Context& context, const client::Error& error);

[[nodiscard]] bool is_output_terminal();
[[nodiscard]] bool is_error_terminal();
// Asks on the terminal; true where there is none to ask (a program runs the command) or `is_sure`.
[[nodiscard]] bool confirm(bool is_sure, std::string_view question);

}  // namespace moldau::cli
