#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "admin/http_server.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/node_metrics.h"
#include "server/run_server.h"

namespace moldau::cli {

namespace {

struct Arguments {
  std::string file;
  std::vector<std::string> overrides;
  bool strict = false;
  int shards = 0;
};

// As many open files as the system allows: logs and connections need them.
void raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

std::string host_name() {
  char name[256] = "localhost";
  (void)gethostname(name, sizeof name - 1);
  return name;
}

// Says what is wrong and gives null.
std::optional<metadata::LoadedConfig> load(const Arguments& arguments) {
  metadata::ConfigInput input;
  std::string bytes;
  if (!arguments.file.empty()) {
    std::ifstream file(arguments.file, std::ios::binary);
    if (!file) {
      fmt::print(stderr, "moldau: cannot read {}: {}\n", arguments.file, std::strerror(errno));
      return std::nullopt;
    }
    std::ostringstream whole;
    whole << file.rdbuf();
    bytes = whole.str();
    input.file_name = arguments.file;
  }
  input.file_bytes = bytes;
  input.overrides = arguments.overrides;
  if (arguments.shards > 0) input.overrides.push_back("moldau.shards=" + std::to_string(arguments.shards));
  input.strict = arguments.strict;
  input.host_name = host_name();
  auto loaded = metadata::load_node_config(input);
  if (!loaded) {
    for (const std::string& problem : loaded.error()) fmt::print(stderr, "moldau: {}\n", problem);
    return std::nullopt;
  }
  for (const std::string& note : loaded->notes) log_warning("{}", note);
  return std::move(*loaded);
}

int run(const Arguments& arguments) {
  auto config = load(arguments);
  if (!config) return 2;
  raise_open_file_limit();
  const metadata::OwnConfig own = config->node.own;
  server::RunOptions options;
  options.shards = own.shards.value_or(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  options.on_starting = [own](server::Node& node) -> std::shared_ptr<void> {
    return own.http_port ? start_http(node, own.http_host, *own.http_port) : nullptr;
  };
  options.on_ready = [](server::Node& node) {
    for (const runtime::Address& address : node.addresses()) log_info("listening on {}", address.to_string());
    log_info("cluster {}, node {}: ready", node.broker().cluster_id, node.broker().config.node_id);
  };
  const auto outcome = server::run_server(std::move(*config), std::move(options));
  if (outcome) return 0;
  fmt::print(stderr, "moldau: {}\n", outcome.error());
  return 1;
}

}  // namespace

void add_server(Command app) {
  auto arguments = std::make_shared<Arguments>();
  Command command = app.add_command("server", "Run a node; without a file a single one on 127.0.0.1:9092");
  command.add_option("file", arguments->file, "server.properties, as Kafka's");
  command.add_option("--override", arguments->overrides, "KEY=VALUE; wins over the file");
  command.add_flag("--strict", arguments->strict, "Do not start with a key that is unknown");
  command.add_option("--shards", arguments->shards, "Threads that serve; moldau.shards").between(1, 256);
  command.runs([arguments] { return static_cast<ExitCode>(run(*arguments)); });
}

}  // namespace moldau::cli
