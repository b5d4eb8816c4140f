#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"

namespace moldau::cli {

namespace {

task<ExitCode> list(const Context& context, bool with_internal, client::Cluster& cluster) {
  auto metadata = co_await cluster.metadata(std::nullopt);
  if (!metadata) co_return fail_with(context, metadata.error());
  auto& topics = metadata->topics;
  std::erase_if(topics, [with_internal](const auto& topic) {
    return !topic.name || (topic.is_internal && !with_internal);
  });
  std::ranges::sort(topics, {}, [](const auto& topic) { return *topic.name; });
  if (context.is_json) {
    boost::json::array list;
    for (const auto& topic : topics) {
      list.push_back(boost::json::object{
          {"topic", *topic.name},
          {"id", topic.topic_id.to_string()},
          {"internal", topic.is_internal},
          {"partitions", topic.partitions.size()},
          {"replication_factor",
           topic.partitions.empty() ? 0 : topic.partitions.front().replica_nodes.size()}});
    }
    print_json(list);
    co_return ExitCode::ok;
  }
  if (topics.empty()) {
    print("There are no topics. Create one with: moldau topic create NAME\n");
    co_return ExitCode::ok;
  }
  Table table({{"TOPIC"}, {"PARTITIONS", Table::Align::right}, {"REPLICAS", Table::Align::right}, {"STATE"}});
  for (const auto& topic : topics) {
    const auto without_leader =
        std::ranges::count_if(topic.partitions, [](const auto& p) { return p.leader_id < 0; });
    const auto short_of_replicas = std::ranges::count_if(
        topic.partitions, [](const auto& p) { return p.isr_nodes.size() < p.replica_nodes.size(); });
    std::string state = "ok";
    if (without_leader > 0)
      state = fmt::format("{} without leader", without_leader);
    else if (short_of_replicas > 0)
      state = fmt::format("{} under-replicated", short_of_replicas);
    table.add({*topic.name, std::to_string(topic.partitions.size()),
               std::to_string(topic.partitions.empty() ? 0 : topic.partitions.front().replica_nodes.size()),
               state});
  }
  print(table.to_string());
  co_return ExitCode::ok;
}

}  // namespace

void add_topic_list(Command topic, Context& context) {
  auto with_internal = std::make_shared<bool>(false);
  Command command = topic.add_command("list", "List the topics");
  command.add_flag("--internal", *with_internal, "With internal ones, such as __consumer_offsets");
  command.runs([with_internal, &context] {
    return run_with_cluster(context,
                            [&](client::Cluster& cluster) { return list(context, *with_internal, cluster); });
  });
}

}  // namespace moldau::cli
