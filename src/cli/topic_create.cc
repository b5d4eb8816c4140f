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
  int32_t partitions = -1;
  int16_t replication_factor = -1;
  std::vector<std::string> settings;
  bool if_not_exists = false;
  bool is_dry_run = false;
};

task<ExitCode> create(const Context& context, const Options& options, client::NewTopic topic,
                      client::Cluster& cluster) {
  const auto created = co_await client::create_topic(cluster, std::move(topic));
  if (!created) {
    const bool is_there = created.error().code == protocol::ErrorCode::topic_already_exists;
    if (!is_there || !options.if_not_exists) co_return fail_with(context, created.error());
    if (context.is_json)
      print_json(boost::json::object{{"topic", options.name}, {"created", false}});
    else
      print(fmt::format("Topic {} is there already.\n", options.name));
    co_return ExitCode::ok;
  }
  if (context.is_json) {
    boost::json::object json{{"topic", options.name}, {"created", !options.is_dry_run}};
    if (!created->id.is_zero()) json["id"] = created->id.to_string();
    if (created->partitions > 0) json["partitions"] = created->partitions;
    if (created->replication_factor > 0) json["replication_factor"] = created->replication_factor;
    print_json(json);
    co_return ExitCode::ok;
  }
  std::string detail;
  if (created->partitions > 0)
    detail = fmt::format(" with {} partition{}, replication factor {}", created->partitions,
                         created->partitions == 1 ? "" : "s", created->replication_factor);
  print(fmt::format("{} {}{}.\n", options.is_dry_run ? "Would create topic" : "Created topic", options.name,
                    detail));
  co_return ExitCode::ok;
}

}  // namespace

void add_topic_create(Command topic, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = topic.add_command("create", "Create a topic");
  command.add_option("name", options->name, "Its name").required();
  command
      .add_option("-p,--partitions", options->partitions,
                  "How many partitions (default: the broker's num.partitions)")
      .between(1, 1'000'000);
  command
      .add_option("-r,--replication-factor", options->replication_factor,
                  "Copies of each partition (default: the broker's default.replication.factor)")
      .between(1, 32767);
  command.add_option("--set", options->settings, "A setting of the topic, key=value; may be repeated");
  command.add_flag("--if-not-exists", options->if_not_exists, "Succeed if the topic is there already");
  command.add_flag("--dry-run", options->is_dry_run, "Only check whether it could be created");
  command.runs([options, &context] {
    client::NewTopic wanted{.name = options->name,
                            .partitions = options->partitions,
                            .replication_factor = options->replication_factor,
                            .validate_only = options->is_dry_run};
    for (const std::string& setting : options->settings) {
      auto parsed = parse_key_value(setting);
      if (!parsed) {
        complain(context, fmt::format("'{}' is no setting", setting),
                 "Write --set key=value, such as --set retention.ms=60000");
        return ExitCode::usage;
      }
      wanted.configs.push_back(std::move(*parsed));
    }
    return run_with_cluster(
        context, [&](client::Cluster& cluster) { return create(context, *options, wanted, cluster); });
  });
}

}  // namespace moldau::cli
