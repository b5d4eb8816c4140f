#include "cli/command_line.h"

#include <fmt/core.h>

#include <cstdio>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/context.h"
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

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  Context context;
  CommandLine line({.name = "moldau",
                    .description = "Moldau: Apache Kafka's log, as one small native program.",
                    .version = fmt::format("moldau {}", version),
                    .footer = footer});
  Command app = line.root();
  app.add_option("-b,--bootstrap-server", context.bootstrap,
                 "A broker of the cluster, host:port; several with commas")
      .from_environment("MOLDAU_BOOTSTRAP_SERVER")
      .shows_default();
  app.add_option("--timeout", context.timeout, "How long to wait and to try again, such as 500ms or 2m")
      .shows_default();
  app.add_option("--client-id", context.client_id, "The name that brokers see").shows_default();
  app.add_flag("--json", context.is_json, "Results and errors as JSON, one value a line");

  add_server(app);
  add_topic(app, context);
  add_produce(app, context);
  add_consume(app, context);
  add_group(app, context);
  add_directory(app, context);
  add_log(app, context);
  add_api_versions(app, context);

  const auto work = line.read(argc, argv);
  if (!work) {
    complain(context, work.error().message, fmt::format("See: {} --help", work.error().command));
    return static_cast<int>(ExitCode::usage);
  }
  if (!*work) return static_cast<int>(ExitCode::ok);  // --help and --version
  const ExitCode exit_code = (*work)();
  if (std::fflush(stdout) != 0 && exit_code == ExitCode::ok) return static_cast<int>(ExitCode::failed);
  return static_cast<int>(exit_code);
}

}  // namespace moldau::cli
