#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/key_value.h"
#include "cli/session.h"
#include "client/topics.h"

namespace moldau::cli {

namespace {

struct Options {
  std::string name;
  int32_t partitions = 0;
  std::vector<std::string> set;
  std::vector<std::string> unset;
  bool is_dry_run = false;
};

task<ExitCode> alter(const Context& context, const Options& options,
                     std::vector<client::ConfigChange> changes, client::Cluster& cluster) {
  const size_t change_count = changes.size();
  if (!changes.empty()) {
    const auto altered =
        co_await client::alter_topic_configs(cluster, options.name, std::move(changes), options.is_dry_run);
    if (!altered) co_return fail_with(context, altered.error());
  }
  if (options.partitions > 0) {
    const auto grown =
        co_await client::set_partition_count(cluster, options.name, options.partitions, options.is_dry_run);
    if (!grown) co_return fail_with(context, grown.error());
  }
  if (context.is_json) {
    boost::json::object json{
        {"topic", options.name}, {"changed_settings", change_count}, {"dry_run", options.is_dry_run}};
    if (options.partitions > 0) json["partitions"] = options.partitions;
    print_json(json);
    co_return ExitCode::ok;
  }
  std::string what;
  if (change_count > 0) what = fmt::format("{} setting{}", change_count, change_count == 1 ? "" : "s");
  if (options.partitions > 0)
    what += fmt::format("{}the number of partitions to {}", what.empty() ? "" : " and ", options.partitions);
  print(fmt::format("{} {} of topic {}.\n", options.is_dry_run ? "Would change" : "Changed", what,
                    options.name));
  co_return ExitCode::ok;
}

}  // namespace

void add_topic_alter(Command topic, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = topic.add_command("alter", "Change a topic's settings, or add partitions");
  command.add_option("name", options->name, "Its name").required();
  command
      .add_option("-p,--partitions", options->partitions,
                  "The new number of partitions; they can only become more")
      .between(1, 1'000'000);
  command.add_option("--set", options->set, "A setting, key=value; may be repeated");
  command.add_option("--unset", options->unset, "A setting that goes back to its default; may be repeated");
  command.add_flag("--dry-run", options->is_dry_run, "Only check whether it could be changed");
  command.runs([options, &context] {
    std::vector<client::ConfigChange> changes;
    for (const std::string& setting : options->set) {
      auto parsed = parse_key_value(setting);
      if (!parsed) {
        complain(context, fmt::format("'{}' is no setting", setting),
                 "Write --set key=value, such as --set retention.ms=60000");
        return ExitCode::usage;
      }
      changes.push_back({std::move(parsed->first), std::move(parsed->second)});
    }
    for (const std::string& name : options->unset) changes.push_back({name, std::nullopt});
    if (changes.empty() && options->partitions == 0) {
      complain(context, "nothing to change", "Give --set key=value, --unset key or --partitions N");
      return ExitCode::usage;
    }
    return run_with_cluster(
        context, [&](client::Cluster& cluster) { return alter(context, *options, changes, cluster); });
  });
}

}  // namespace moldau::cli
