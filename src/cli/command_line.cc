#include "cli/command_line.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/version.h"

namespace moldau::cli {

namespace {

constexpr const char* footer = R"(
Exit codes: 0 done; 1 refused or failed; 2 wrong command line; 3 no broker reached; 4 damaged data found;
            5 no answer in time; 130 interrupted.
Environment: MOLDAU_BOOTSTRAP_SERVER stands for --bootstrap-server.

Examples:
  moldau topic create orders --partitions 3
  echo 'hello' | moldau produce orders
  moldau consume orders --from-beginning --until-end
  moldau group describe billing
  moldau log verify ./moldau-data)";

// Global options may stand behind the command.
void let_options_fall_through(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    command->fallthrough();
    let_options_fall_through(*command);
  }
}

// The innermost command that was being read.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// "moldau topic create".
std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

// The first word behind the command's name that is no option.
std::string word_after(const CLI::App& command, const std::vector<std::string>& words) {
  auto at = command.get_parent() == nullptr ? words.begin() : std::ranges::find(words, command.get_name());
  if (at != words.end())
    at = std::find_if(at + 1, words.end(), [](const auto& word) { return !word.starts_with('-'); });
  return at == words.end() ? "" : *at;
}

// What CLI11 says, but for a command that does not exist: that it says so, and which there are.
std::string message_of(const CLI::ParseError& error, const CLI::App& command,
                       const std::vector<std::string>& words) {
  const auto subcommands = command.get_subcommands({});
  const bool is_missing = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError);
  if (!is_missing || subcommands.empty()) return error.what();
  std::vector<std::string> names;
  for (const CLI::App* one : subcommands) names.push_back(one->get_name());
  const std::string word = word_after(command, words);
  return fmt::format("{}; there are {}",
                     word.empty() ? fmt::format("{} needs a command", path_of(command))
                                  : fmt::format("there is no command '{} {}'", path_of(command), word),
                     fmt::join(names, ", "));
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  Context context;
  CLI::App app("Moldau: Apache Kafka's log, as one small native program.", "moldau");
  app.set_version_flag("--version", std::string("moldau ") + std::string(version));
  app.add_option("-b,--bootstrap-server", context.bootstrap,
                 "A broker of the cluster, host:port; several with commas")
      ->envname("MOLDAU_BOOTSTRAP_SERVER")
      ->capture_default_str();
  app.add_option("--timeout", context.timeout, "How long to wait and to try again, such as 500ms or 2m")
      ->capture_default_str();
  app.add_option("--client-id", context.client_id, "The name that brokers see")->capture_default_str();
  app.add_flag("--json", context.is_json, "Results and errors as JSON, one value a line");
  app.footer(footer);
  app.require_subcommand(1);

  add_server(app, context);
  add_topic(app, context);
  add_produce(app, context);
  add_consume(app, context);
  add_group(app, context);
  add_directory(app, context);
  add_log(app, context);
  add_api_versions(app, context);
  let_options_fall_through(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app.exit(error);  // --help and --version
      return static_cast<int>(ExitCode::ok);
    }
    const CLI::App& command = innermost(app);
    complain(context, message_of(error, command, {argv, argv + argc}),
             fmt::format("See: {} --help", path_of(command)));
    return static_cast<int>(ExitCode::usage);
  }
  const ExitCode exit_code = context.run();
  if (std::fflush(stdout) != 0 && exit_code == ExitCode::ok) return static_cast<int>(ExitCode::failed);
  return static_cast<int>(exit_code);
}

}  // namespace moldau::cli
