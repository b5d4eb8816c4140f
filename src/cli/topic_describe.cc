#include <fmt/core.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/units.h"
#include "client/offsets.h"
#include "client/topics.h"

namespace moldau::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool with_all_settings = false;
};

struct PartitionOffsets {
  int64_t start = -1;
  int64_t end = -1;
};

std::string_view source_name(client::ConfigEntry::Source source) {
  using Source = client::ConfigEntry::Source;
  switch (source) {
    case Source::topic:
      return "topic";
    case Source::broker_dynamic:
      return "broker";
    case Source::cluster_dynamic:
      return "cluster";
    case Source::file:
      return "server.properties";
    case Source::fallback:
      return "default";
    default:
      return "unknown";
  }
}

std::string value_of(const client::ConfigEntry& entry) {
  return entry.is_sensitive ? "(hidden)" : entry.value.value_or("(none)");
}

void show_json(const client::TopicMetadata& topic, const std::vector<client::ConfigEntry>& configs,
               const std::vector<PartitionOffsets>& offsets) {
  boost::json::array partitions;
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    const auto& partition = topic.partitions[i];
    const auto list = [](const std::vector<int32_t>& ids) {
      return boost::json::array(ids.begin(), ids.end());
    };
    partitions.push_back(boost::json::object{{"partition", i},
                                             {"leader", partition.leader_id},
                                             {"leader_epoch", partition.leader_epoch},
                                             {"replicas", list(partition.replicas)},
                                             {"isr", list(partition.isr)},
                                             {"start_offset", offsets[i].start},
                                             {"end_offset", offsets[i].end}});
  }
  boost::json::object settings;
  for (const auto& entry : configs) {
    settings[entry.name] =
        boost::json::object{{"value", entry.value ? boost::json::value(*entry.value) : nullptr},
                            {"source", source_name(entry.source)}};
  }
  print_json(boost::json::object{{"topic", topic.name},
                                 {"id", topic.id.to_string()},
                                 {"internal", topic.is_internal},
                                 {"partitions", std::move(partitions)},
                                 {"settings", std::move(settings)}});
}

void show(const client::TopicMetadata& topic, const std::vector<client::ConfigEntry>& configs,
          const std::vector<PartitionOffsets>& offsets, bool with_all_settings) {
  print(fmt::format("Topic {}\n  id        {}\n", topic.name, topic.id.to_string()));
  if (!with_all_settings) {
    std::string own;
    for (const auto& entry : configs) {
      if (entry.source != client::ConfigEntry::Source::topic) continue;
      own += fmt::format("{}{}={}", own.empty() ? "" : ", ", entry.name, printable(value_of(entry)));
    }
    print(fmt::format("  settings  {}\n", own.empty() ? "defaults (see them with --all)" : own));
  }
  print("\n");
  using enum Table::Align;
  Table table({{"PARTITION", right},
               {"LEADER", right},
               {"REPLICAS"},
               {"IN SYNC"},
               {"START", right},
               {"END", right},
               {"OFFSETS", right}});
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    const auto& partition = topic.partitions[i];
    const auto& at = offsets[i];
    table.add({std::to_string(i), partition.leader_id < 0 ? "none" : std::to_string(partition.leader_id),
               fmt::format("{}", fmt::join(partition.replicas, ",")),
               fmt::format("{}", fmt::join(partition.isr, ",")), at.start < 0 ? "?" : count_text(at.start),
               at.end < 0 ? "?" : count_text(at.end),
               at.start < 0 || at.end < 0 ? "?" : count_text(at.end - at.start)});
  }
  print(table.to_string());
  if (!with_all_settings) return;
  print("\n");
  Table settings({{"SETTING"}, {"VALUE"}, {"FROM"}});
  for (const auto& entry : configs)
    settings.add({entry.name, value_of(entry), std::string(source_name(entry.source))});
  print(settings.to_string());
}

task<ExitCode> describe(const Context& context, const Options& options, client::Cluster& cluster) {
  ExitCode exit_code = ExitCode::ok;
  bool is_first = true;
  for (const std::string& name : options.names) {
    const auto topic = co_await cluster.topic(name);
    if (!topic) {
      exit_code = fail_with(context, topic.error());
      if (exit_code == ExitCode::cannot_connect) co_return exit_code;
      continue;
    }
    const auto configs = co_await client::topic_configs(cluster, name);
    if (!configs) co_return fail_with(context, configs.error());
    std::vector<client::OffsetQuery> queries;
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      const client::TopicPartition partition{name, static_cast<int32_t>(i)};
      if (topic->partitions[i].leader_id < 0) continue;
      queries.push_back({partition, client::earliest_offset});
      queries.push_back({partition, client::latest_offset});
    }
    const auto found = co_await client::find_offsets(cluster, queries);
    if (!found) co_return fail_with(context, found.error());
    std::vector<PartitionOffsets> offsets(topic->partitions.size());
    for (size_t i = 0; i < found->size(); ++i) {
      const auto& one = (*found)[i];
      if (one.error) continue;
      auto& target = offsets[static_cast<size_t>(one.partition.partition)];
      (queries[i].timestamp == client::earliest_offset ? target.start : target.end) = one.offset;
    }
    if (context.is_json) {
      show_json(*topic, *configs, offsets);
    } else {
      if (!std::exchange(is_first, false)) print("\n");
      show(*topic, *configs, offsets, options.with_all_settings);
    }
  }
  co_return exit_code;
}

}  // namespace

void add_topic_describe(Command topic, Context& context) {
  auto options = std::make_shared<Options>();
  Command command = topic.add_command("describe", "Show a topic's partitions, offsets and settings");
  command.add_option("name", options->names, "Its name; several may be given").required();
  command.add_flag("--all", options->with_all_settings, "With every setting and where its value comes from");
  command.runs([options, &context] {
    return run_with_cluster(context,
                            [&](client::Cluster& cluster) { return describe(context, *options, cluster); });
  });
}

}  // namespace moldau::cli
